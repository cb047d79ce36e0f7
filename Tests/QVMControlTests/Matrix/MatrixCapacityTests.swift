import Testing

@testable import QVMControl

@Suite struct MatrixCapacityTests {
  private static let gigabyte = 1 << 30
  private static let cases: [(guests: Int, available: Int?, processors: Int, jobs: Int)] = [
    (3, 100, 8, 3), (3, 12, 8, 2), (3, 5, 8, 1), (3, 100, 2, 2), (3, 100, 1, 1), (3, nil, 16, 3),
    (1, 1, 1, 1), (20, 100, 64, 16),
  ]

  @Test(arguments: cases)
  func `memory and processors decide how many guests run at once`(
    guests: Int, available: Int?, processors: Int, jobs: Int
  ) {
    let capacity = MatrixCapacity(
      guests: guests, memory: 6 * Self.gigabyte, cpus: 2,
      available: available.map { $0 * Self.gigabyte },
      processors: processors)
    #expect(capacity.jobs == jobs)
    #expect((capacity.reason == nil) == (jobs >= guests))
  }

  @Test func `what bounds it is said`() {
    let memory = MatrixCapacity(
      guests: 3, memory: 6 << 30, cpus: 2, available: 7 << 30, processors: 8)
    #expect(memory.reason?.contains("memory") == true)
    let processors = MatrixCapacity(
      guests: 3, memory: 64 << 20, cpus: 2, available: 7 << 30, processors: 1)
    #expect(processors.reason == "this host has 1 processor for guests of 2")
  }

  @Test func `a guest's size is its driver's, or the user's`() throws {
    let driver = try #require(Driver.all.first { "\($0)" == "freebsd-x86-64" })
    let own = try driver.size(memory: nil, cpus: nil)
    #expect(own.memory == 6 << 30 && own.cpus == 2)
    let other = try driver.size(memory: "512M", cpus: 4)
    #expect(other.memory == 512 << 20 && other.cpus == 4)
  }

  @Test func `the host's free memory is read`() {
    #expect(Host.availableMemory(in: "MemTotal: 9 kB\nMemAvailable:   1024 kB\n") == 1 << 20)
    #expect(Host.availableMemory(in: "MemTotal: 9 kB\n") == nil)
    #expect((Host.availableMemory ?? 0) > 1 << 20)
    #expect(Host.processors >= 1)
  }
}
