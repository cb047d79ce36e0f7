extension Driver {
  /// The built-in demo guest. It has no ssh server and needs little of a machine. The forwarded
  /// port and the rest are there so that it is started and supervised like any other guest.
  static let demoX8664 = Driver(.demo, .x86_64) { paths in
    // swift-format-ignore
    [
      "qemu-system-x86_64",
      "-nographic",
      "-machine", "type=q35,accel=hvf:kvm:tcg",
      "-cpu", "max",
      "-smp", "1",
      "-m", "64M",
      "-device", "virtio-net,netdev=user.0,addr=0x03",
      "-netdev", "user,id=user.0,hostfwd=tcp:127.0.0.1:2847-:22",
      "-display", "none",
      "-monitor", "none",
      "-boot", "strict=off",
      "-bios", "\(paths.cache)/share/qemu/bios-256k.bin",
      "-device", "virtio-blk-pci,drive=drive0,bootindex=0",
      "-drive", "if=none,file=\(paths.image),id=drive0,cache=unsafe,discard=ignore,format=qcow2",
    ]
  }
}
