extension Driver {
  /// Specification §7, "FreeBSD ARM64".
  static let freebsdArm64 = Driver(.freebsd, .arm64) { paths in
    // swift-format-ignore
    [
      "qemu-system-aarch64",
      "-nographic",
      "-machine", "type=virt,accel=hvf:kvm:tcg",
      "-cpu", "cortex-a57",
      "-smp", "2",
      "-m", "6G",
      "-device", "virtio-net,netdev=user.0,addr=0x03",
      "-netdev", "user,id=user.0,hostfwd=tcp::2847-:22",
      "-display", "none",
      "-monitor", "none",
      "-boot", "strict=off",
      "-bios", "\(paths.cache)/share/qemu/uefi.fd",
      "-device", "virtio-blk-pci,drive=drive0,bootindex=0",
      "-drive", "if=none,file=\(paths.image),id=drive0,cache=unsafe,discard=ignore,format=qcow2",
    ]
  }
}
