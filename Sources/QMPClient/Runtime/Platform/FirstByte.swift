#if canImport(Darwin)
  internal import Darwin
#elseif canImport(Glibc)
  internal import Glibc
#else
  internal import Musl
#endif

extension UnsafeBufferPointer<UInt8> {
  /// The index of the first such byte at or after `start`; nil if there is none. Uses memchr(3),
  /// which compares many bytes at a time.
  func firstIndex(of byte: UInt8, from start: Int) -> Int? {
    guard start < count, let base = UnsafeRawPointer(baseAddress) else { return nil }
    return memchr(base + start, Int32(byte), count - start).map { UnsafeRawPointer($0) - base }
  }
}
