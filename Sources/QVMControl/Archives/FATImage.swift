/// The image of a small disk with a FAT12 file system and one file, for a guest that looks for its
/// keys on a second disk. The same contents always give the same bytes.
///
/// Source: Microsoft's "FAT: General Overview of On-Disk Format", version 1.03.
package enum FATImage {
  /// How the file system lies on the disk.
  package enum Form: Sendable, CaseIterable {
    /// Over the whole disk, without a partition table.
    case wholeDisk
    /// In the first partition of an MBR.
    case partition
  }

  /// The name of the file.
  package static let fileName = "KEYS"
  /// The most bytes that the file may have.
  package static let largestFile = 1 << 16
  /// The size of every image, in bytes: that of a floppy disk, which is small and well known.
  package static let size = sectors * sector

  /// The bytes of an image.
  ///
  /// - Throws: ``TooBig`` if the contents have more than ``largestFile`` bytes.
  package static func bytes(contents: [UInt8], form: Form) throws(TooBig) -> [UInt8] {
    guard contents.count <= largestFile else { throw TooBig(size: contents.count) }
    var image = [UInt8](repeating: 0, count: size)
    let start = form == .partition ? firstPartition : 0
    if form == .partition { setPartitionTable(&image) }
    setBootSector(&image, start: start)
    let table = fileAllocationTable(contents.count)
    for copy in 0..<tables {
      let place = (start + reserved + copy * tableSectors) * sector
      image.replaceSubrange(place..<(place + table.count), with: table)
    }
    let root = (start + reserved + tables * tableSectors) * sector
    setEntry(&image, root, name: label, attributes: 0x08, cluster: 0, size: 0)
    setEntry(
      &image, root + 32, name: fileName, attributes: 0x20,
      cluster: contents.isEmpty ? 0 : firstCluster, size: contents.count)
    let data = root + rootEntries * 32
    image.replaceSubrange(data..<(data + contents.count), with: contents)
    return image
  }

  /// More contents than an image takes.
  package struct TooBig: UserFacingError, Hashable {
    package let size: Int

    package var message: String {
      "the keys have \(ByteCount.text(size)), and a key disk takes \(ByteCount.text(largestFile))"
    }
    package var advice: String? { "Give fewer keys." }
  }

  // MARK: - Layout

  private static let sector = 512
  private static let sectors = 2880
  /// Where partitions began when disks had cylinders; the old systems expect it.
  private static let firstPartition = 63
  /// The sectors before the first table: the boot sector.
  private static let reserved = 1
  private static let tables = 2
  /// Enough for 12 bits for each of the 2,860 clusters.
  private static let tableSectors = 9
  private static let rootEntries = 16
  /// The numbers 0 and 1 aren't clusters.
  private static let firstCluster = 2
  /// A disk that isn't removable.
  private static let media: UInt8 = 0xF8
  private static let label = "QVM KEYS"
  /// Any number: it tells disks apart.
  private static let serial = 0x5156_4D31
  /// The geometry that a BIOS makes up.
  private static let (sectorsPerTrack, heads) = (63, 255)

  private static func set(_ image: inout [UInt8], _ offset: Int, _ count: Int, _ value: Int) {
    for index in 0..<count {
      image[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
    }
  }

  private static func set(_ image: inout [UInt8], _ offset: Int, _ count: Int, _ text: String) {
    let padded = Array(text.utf8) + [UInt8](repeating: 0x20, count: count - text.utf8.count)
    image.replaceSubrange(offset..<(offset + count), with: padded)
  }

  private static func setBootSector(_ image: inout [UInt8], start: Int) {
    let base = start * sector
    // A jump over the fields to a program that tells the BIOS to try the next disk.
    image.replaceSubrange(base..<(base + 3), with: [0xEB, 0x3C, 0x90])
    image.replaceSubrange((base + 62)..<(base + 66), with: [0xCD, 0x18, 0xEB, 0xFE])
    set(&image, base + 3, 8, "MSDOS5.0")
    set(&image, base + 11, 2, sector)
    // Sectors per cluster.
    image[base + 13] = 1
    set(&image, base + 14, 2, reserved)
    image[base + 16] = UInt8(tables)
    set(&image, base + 17, 2, rootEntries)
    set(&image, base + 19, 2, sectors - start)
    image[base + 21] = media
    set(&image, base + 22, 2, tableSectors)
    set(&image, base + 24, 2, sectorsPerTrack)
    set(&image, base + 26, 2, heads)
    // The sectors before the partition.
    set(&image, base + 28, 4, start)
    // The BIOS's number of the first hard disk, and the mark that the next three fields are there.
    image[base + 36] = 0x80
    image[base + 38] = 0x29
    set(&image, base + 39, 4, serial)
    set(&image, base + 43, 11, label)
    set(&image, base + 54, 8, "FAT12")
    set(&image, base + 510, 2, 0xAA55)
  }

  private static func setPartitionTable(_ image: inout [UInt8]) {
    set(&image, 440, 4, serial)
    let entry = 446
    setAddress(&image, entry + 1, firstPartition)
    // The type: FAT12.
    image[entry + 4] = 0x01
    setAddress(&image, entry + 5, sectors - 1)
    set(&image, entry + 8, 4, firstPartition)
    set(&image, entry + 12, 4, sectors - firstPartition)
    set(&image, 510, 2, 0xAA55)
  }

  /// The number of a sector as head, sector and cylinder.
  private static func setAddress(_ image: inout [UInt8], _ offset: Int, _ number: Int) {
    let track = number / sectorsPerTrack
    image[offset] = UInt8(track % heads)
    image[offset + 1] = UInt8(number % sectorsPerTrack + 1)
    image[offset + 2] = UInt8(track / heads)
  }

  /// The clusters of the file, one after the other: each names the next one, in 12 bits.
  private static func fileAllocationTable(_ count: Int) -> [UInt8] {
    let clusters = (count + sector - 1) / sector
    var entries = [0xF00 | Int(media), 0xFFF]
    for index in 0..<clusters {
      entries.append(index == clusters - 1 ? 0xFFF : firstCluster + index + 1)
    }
    if entries.count % 2 != 0 { entries.append(0) }
    return stride(from: 0, to: entries.count, by: 2).flatMap { index -> [UInt8] in
      let pair = entries[index] | entries[index + 1] << 12
      return [UInt8(pair & 0xFF), UInt8(pair >> 8 & 0xFF), UInt8(pair >> 16)]
    }
  }

  private static func setEntry(
    _ image: inout [UInt8], _ offset: Int, name: String, attributes: UInt8, cluster: Int, size: Int
  ) {
    set(&image, offset, 11, name)
    image[offset + 11] = attributes
    // 1980-01-01, when the time of this file system begins.
    for date in [16, 18, 24] { set(&image, offset + date, 2, 0x21) }
    set(&image, offset + 26, 2, cluster)
    set(&image, offset + 28, 4, size)
  }
}
