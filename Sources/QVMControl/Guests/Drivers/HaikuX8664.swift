extension Driver {
  /// Specification §7, "Haiku x86-64".
  static let haikuX8664 = Driver(.haiku, .x86_64) { paths in
    // swift-format-ignore
    [
      "qemu-system-x86_64",
      "-nographic",
      "-machine", "type=q35,accel=hvf:kvm:tcg",
      "-cpu", "max",
      "-smp", "2",
      "-m", "6G",
      "-device", "e1000,netdev=user.0,addr=0x03",
      "-netdev", "user,id=user.0,hostfwd=tcp::2847-:22,ipv6=off",
      "-display", "none",
      "-monitor", "none",
      "-boot", "strict=off",
      "-bios", "\(paths.cache)/share/qemu/bios-256k.bin",
      "-device", "virtio-scsi-pci",
      "-device", "scsi-hd,drive=drive0,bootindex=0",
      "-drive", "if=none,file=\(paths.image),id=drive0,cache=unsafe,discard=ignore,format=qcow2",
    ]
  }
}
