import QMPClient
import Synchronization
import TestSupport
import Testing

@testable import QVMControl

@Suite struct InstanceStoreTests {
  private struct DiskFailure: Error {}

  private let temporary: TemporaryStore
  private var store: InstanceStore { temporary.store }
  private var target: Target { temporary.target }
  private let name: InstanceName

  init() throws {
    temporary = try TemporaryStore()
    name = try InstanceName("vm")
  }

  private func create(_ name: InstanceName) async throws -> InstanceStore.Locked {
    try await store.create(name, target, baseImage: "/base.qcow2", options: [:]) {
      try Files.write([1, 2, 3], to: $0.files.disk)
    }.0
  }

  @Test func `an instance appears when it is complete, and locked`() async throws {
    let store = store
    let name = name
    let (locked, made) = try await store.create(
      name, target, baseImage: "/base.qcow2", options: [:]
    ) { new in
      #expect(!store.exists(name))
      #expect(store.names == [])
      #expect(new.files.folder.hasPrefix("\(store.cache.instances)/.new-vm-"))
      #expect(FileLock.isHeld(new.files.vmLock))
      #expect(FileLock.isHeld(new.files.supervisorLock))
      try Files.write([1], to: new.files.disk)
      return "made"
    }
    #expect(made == "made")
    #expect(store.names == [name])
    #expect(
      Files.list(locked.files.folder).sorted() == [
        "disk.qcow2", "instance.json", "supervisor.lock", "vm.lock",
      ])
    #expect(Files.information(locked.files.folder)?.mode == 0o700)
    #expect(Files.information(locked.files.record)?.mode == 0o600)
    #expect(FileLock.isHeld(locked.files.vmLock))
    #expect(FileLock.isHeld(locked.files.supervisorLock))
    #expect(try InstanceRecord(reading: locked.files.record) == locked.record)
  }

  @Test func `where the disk can't be made nothing is left`() async throws {
    await #expect(throws: DiskFailure.self) {
      _ = try await store.create(name, target, baseImage: "/b", options: [:]) { new in
        try Files.write([1], to: new.files.disk)
        throw DiskFailure()
      }
    }
    #expect(Files.list(store.cache.instances) == [])
  }

  @Test func `the second of two with one name loses, and leaves the first as it is`() async throws {
    let first = try await create(name)
    let error = await #expect(throws: FileError.self) { _ = try await create(name) }
    #expect(error?.cause.isOccupied == true)
    #expect(Files.list(store.cache.instances) == ["vm"])
    #expect(try Files.read(first.files.disk) == [1, 2, 3])
  }

  @Test func `a locked instance can be neither booted nor removed`() async throws {
    let locked = try await create(name)
    #expect(throws: InstanceError.busy(name: "vm", doing: "run")) {
      try store.lock(name, to: "run")
    }
    #expect(throws: InstanceError.busy(name: "vm", doing: "remove")) { try store.remove(name) }
    locked.vmLock.release()
    locked.supervisorLock.release()
    let again = try store.lock(name, to: "run")
    #expect(again.record == locked.record)
    withExtendedLifetime(locked) {}
  }

  @Test func `an instance whose supervisor still ends can't be booted`() async throws {
    let locked = try await create(name)
    locked.vmLock.release()
    #expect(throws: InstanceError.busy(name: "vm", doing: "run")) {
      try store.lock(name, to: "run")
    }
    withExtendedLifetime(locked) {}
  }

  @Test func `what is removed is gone with all its files`() async throws {
    let locked = try await create(name)
    try store.remove(name, holding: locked.vmLock)
    #expect(Files.list(store.cache.instances) == [])
    #expect(throws: InstanceError.noSuch(name: "vm")) { try store.remove(name) }
    #expect(throws: InstanceError.noSuch(name: "vm")) { try store.lock(name, to: "run") }
    #expect(InstanceError.noSuch(name: "vm").exitStatus == .noSuchInstance)
  }

  @Test func `one with a damaged record can be removed, not booted`() async throws {
    let locked = try await create(name)
    locked.vmLock.release()
    locked.supervisorLock.release()
    try Files.write(Array("{".utf8), to: locked.files.record)
    let error = #expect(throws: InstanceError.self) { try store.lock(name, to: "run") }
    #expect(error?.message.contains("is broken") == true)
    try store.remove(name)
    withExtendedLifetime(locked) {}
  }

  @Test func `a sweep takes what killed commands left, and nothing else`() async throws {
    let instances = store.cache.instances
    _ = try await create(name)
    for left in [".removed-a-1", ".new-dead-1"] {
      try Files.makeFolder("\(instances)/\(left)/deep")
      try Files.write([1], to: "\(instances)/\(left)/disk.qcow2")
    }
    try Files.write([], to: "\(instances)/.new-dead-1/vm.lock")
    try Files.write([], to: "\(instances)/.new-dead-1/instance.json")
    // A moment old, and about to be locked.
    try Files.makeFolder("\(instances)/.unlocked-young-1")
    try Files.write([], to: "\(instances)/.unlocked-young-1/vm.lock")
    try Files.makeFolder("\(instances)/.new-alive-1")
    let lock = try #require(try FileLock.attempt("\(instances)/.new-alive-1/vm.lock"))
    try Files.makeFolder("\(instances)/.elses")
    store.sweep()
    #expect(Files.list(instances) == [".elses", ".new-alive-1", ".unlocked-young-1", "vm"])
    withExtendedLifetime(lock) {}
  }

  @Test func `one in the making is locked from the moment that a sweep may see it`() async throws {
    let store = self.store
    let isBusy = Mutex(true)
    let started = startThread {
      while isBusy.withLock({ $0 }) { store.sweep() }
    }
    #expect(started)
    defer { isBusy.withLock { $0 = false } }
    for number in 0..<60 {
      let locked = try await create(try InstanceName("vm\(number)"))
      #expect(Files.exists(locked.files.disk))
    }
  }

  @Test(arguments: ["VM", "Vm"]) func `a name that differs in capitals alone is refused`(
    other: String
  ) async throws {
    _ = try await create(name)
    await #expect(throws: InstanceError.similar(name: other, existing: "vm")) {
      try await self.create(try InstanceName(other))
    }
    #expect(store.names == [name])
  }

  @Test func `what isn't an instance in its place is named, and stays`() async throws {
    let path = store.files(name).folder
    try Files.makeFolder("\(path).else")
    try Files.link("\(path).else", at: path)
    let error = await #expect(throws: FileError.self) { try await self.create(self.name) }
    #expect(error?.message == "cannot create \(path): it is a symbolic link")
    try Files.remove(path)
    try Files.write([1], to: path)
    let other = await #expect(throws: FileError.self) { try await self.create(self.name) }
    #expect(other?.path == path)
    #expect(try Files.read(path) == [1])
  }

  @Test func `folders with invalid names are not instances`() throws {
    try Files.makeFolder("\(store.cache.instances)/ok")
    try Files.makeFolder("\(store.cache.instances)/not ok")
    #expect(store.names.map(\.text) == ["ok"])
    try Files.write([], to: "\(store.cache.instances)/file")
    #expect(!store.exists(try InstanceName("file")))
  }
}
