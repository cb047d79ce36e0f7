import Testing

@testable import QVMControl

@Suite struct QEMUOptionValueTests {
  @Test(arguments: [
    "", "a", "a,b", "type=q35,accel=hvf:kvm:tcg", "file=/a,,b,format=raw", "a,,,b", ",a", "a,",
    ",,",
    "a,,,,b,c", "file=/é,\u{301}x,id=1", "max,-pdpe1gb",
  ])
  func `an unedited value comes out as it went in`(value: String) {
    #expect(Array(QEMUOptionValue(value).value.utf8) == Array(value.utf8))
  }

  @Test(arguments: [
    ("file=/a,,b,id=x", "file", "/a,b"), ("file=/a,,,id=x", "file", "/a,"),
    ("file=/a,,,id=x", "id", "x"), ("id=,file=y", "id", ""), ("a=1,a=2", "a", "1"),
    ("file=/a,,id=1,id=2", "id", "2"), ("k=,\u{301}=1,z=3", "z", "3"),
  ])
  func `an item is found by its key, its own commas single`(
    value: String, key: String, item: String
  ) {
    #expect(QEMUOptionValue(value)[key] == item)
  }

  @Test(arguments: ["accel", "q35", "ccel", "type=q35"])
  func `a word that is no key finds nothing`(key: String) {
    #expect(QEMUOptionValue("q35,type=q35,accels=kvm")[key] == nil)
  }

  @Test(arguments: [
    ("type=q35,accel=kvm,usb=off", "type=q35,accel=a,,b,usb=off"), ("q35", "q35,accel=a,,b"),
    ("", "accel=a,,b"), ("file=x,,accel=1", "file=x,,accel=1,accel=a,,b"),
  ])
  func `setting an item keeps the others and doubles commas`(before: String, after: String) {
    var items = QEMUOptionValue(before)
    items.set("accel", to: "a,b")

    #expect(items.value == after)
  }

  @Test(arguments: ["", ",", "a,b", ",,", "x,\u{301}y", "/plain"])
  func `what is quoted is read back`(text: String) {
    var items = QEMUOptionValue("first=1")
    items.set("path", to: text)

    let again = QEMUOptionValue(items.value + ",last=2")
    #expect(again["path"].map { Array($0.utf8) } == Array(text.utf8))
    #expect(again["last"] == "2")
  }
}
