extension Driver {
  /// Specification §7, "FreeBSD x86-64".
  static let freebsdX8664 = Driver(.freebsd, .x86_64) { paths in
    // swift-format-ignore
    [
      "qemu-system-x86_64",
      "-nographic",
      "-machine", "type=q35,accel=hvf:kvm:tcg",
      "-cpu", "max",
      "-smp", "2",
      "-m", "6G",
      "-device", "virtio-net,netdev=user.0,addr=0x03",
      "-netdev", "user,id=user.0,hostfwd=tcp::2847-:22",
      "-display", "none",
      "-monitor", "none",
      "-boot", "strict=off",
      "-bios", "\(paths.cache)/share/qemu/bios-256k.bin",
      "-device", "virtio-blk-pci,drive=drive0,bootindex=0",
      "-drive", "if=none,file=\(paths.image),id=drive0,cache=unsafe,discard=ignore,format=qcow2",
    ]
  }
}
