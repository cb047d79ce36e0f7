import Testing

@testable import QVMControl

@Suite struct ByteCountTests {
  @Test(arguments: [
    (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (99_949, "99.9 kB"), (100_000, "100 kB"),
    (999_999, "999 kB"), (1_000_000, "1.0 MB"), (521_142_272, "521 MB"),
    (12_884_901_888, "12.8 GB"),
    (Int.max, "9.2 EB"), (-5, "0 B"),
  ])
  func `a size has two or three digits and its unit`(bytes: Int, text: String) {
    #expect(ByteCount.text(bytes) == text)
  }
}
