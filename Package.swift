// swift-tools-version: 6.2
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
  name: "qvm",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "QMPClient", targets: ["QMPClient"]),
    .executable(name: "qvm", targets: ["qvm"]),
  ],
  targets: [
    .target(name: "QMPClient", exclude: ["README.md"], swiftSettings: settings),
    .target(
      name: "QVMControl", dependencies: ["QMPClient"], exclude: ["README.md"],
      swiftSettings: settings),
    .executableTarget(
      name: "qvm", dependencies: ["QVMControl", "QMPClient"], exclude: ["systemd"],
      swiftSettings: settings),

    .target(
      name: "TestSupport", dependencies: ["QMPClient", "QVMControl"], path: "Tests/TestSupport",
      exclude: ["fake_qemu.py", "release_server.py"], swiftSettings: settings),
    .executableTarget(
      name: "qmp-record", dependencies: ["QMPClient", "TestSupport"], path: "Tests/Recorder",
      swiftSettings: settings),
    .executableTarget(
      name: "qmp-bench", dependencies: ["QMPClient"], path: "Tests/Benchmarks/qmp/Swift",
      swiftSettings: settings),
    .testTarget(
      name: "QMPClientTests", dependencies: ["QMPClient", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "QVMControlTests", dependencies: ["QVMControl", "TestSupport"],
      swiftSettings: settings),
    .testTarget(
      name: "qvmTests", dependencies: ["qvm", "QVMControl", "TestSupport"], swiftSettings: settings),
    .testTarget(
      name: "IntegrationTests", dependencies: ["TestSupport", "QMPClient", "QVMControl", "qvm"],
      swiftSettings: settings),
  ]
)
