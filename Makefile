# make demo      build, boot the built-in guest, shut it down; no download
# make test      build and run every test, the integration tests with the program that is shipped
# make test-release   [FILTER=Suite]         run the integration tests with the program that is shipped
# make lint      check the formatting        make format   apply it
# make check-macos   compile the sources for macOS on Linux, without linking or running anything
# make record    record the QMP transcripts again from real QEMU
# make install   [PREFIX=/usr/local]         put one self-contained binary in place, on Linux with
#                                            a unit for systemd's user manager
# make campaign  [ROUNDS=500]                kill qvm's processes at random, and let each of its
#                                            system calls fail once; look at what is left
# make bench-startup   start-up times as ratios to a static C program
# make bench-qmp       QMPClient as ratios to a raw C client and to qemu.qmp
# make bench-lifecycle   starts and ends of VMs as ratios to C and to qemu.qmp; a hundred side by side
# make bench-list      a list of 1,000 and 10,000 instances as ratios to C [OTHER=program of an older qvm]
# make bench-copy      copies into a guest and back as ratios to tar and ssh by hand
# make bench-pull      a download as a ratio to curl and sha256sum; what a warm run adds

PREFIX ?= /usr/local
RELEASE := .build/release-static
QVM := $(RELEASE)/release/qvm
SYSTEM := $(shell uname -s)
SOURCES := Package.swift Sources Tests

# A static executable starts about twice as fast as a dynamic one. macOS has none. What is wrapped is
# in Sources/qvm/Platform/NoBacktracer.swift.
ifeq ($(SYSTEM),Linux)
  RELEASE_FLAGS := -Xswiftc -static-executable -Xlinker -s \
    -Xlinker --wrap=swift_copyAuxiliaryExecutablePath
else
  RELEASE_FLAGS := --static-swift-stdlib -Xlinker -dead_strip
endif

.PHONY: all build release deps demo test test-release lint format check-macos record install clean campaign bench-startup bench-qmp bench-lifecycle bench-list bench-copy bench-pull

all: build

build:
	swift build

release:
	swift build -c release --product qvm --scratch-path $(RELEASE) $(RELEASE_FLAGS)

# What the program and its tests run: QEMU with its firmware, qemu-img, curl, tar, zstd, python3, and
# the tools that look at a key disk.
PROGRAMS := qemu-system-x86_64 qemu-system-aarch64 qemu-img curl tar zstd python3 openssl ssh \
  /usr/sbin/fsck.fat mtype
FIRMWARE := /usr/share/seabios/bios-256k.bin /usr/share/ovmf/OVMF.fd \
  /usr/share/qemu-efi-aarch64/QEMU_EFI.fd
PACKAGES := qemu-system-x86 qemu-system-arm qemu-utils ovmf qemu-efi-aarch64 seabios ipxe-qemu \
  curl tar zstd python3 strace openssl openssh-client dosfstools mtools

deps:
ifeq ($(SYSTEM),Darwin)
	@command -v qemu-img >/dev/null || brew install qemu
else
	@missing=; \
	for program in $(PROGRAMS) strace; do command -v $$program >/dev/null || missing="$$missing $$program"; done; \
	for file in $(FIRMWARE); do [ -e $$file ] || missing="$$missing $$file"; done; \
	if [ -n "$$missing" ]; then \
	  if command -v apt-get >/dev/null; then \
	    echo "installing what is missing:$$missing"; \
	    apt-get update -qq && \
	      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGES); \
	  else echo "please install:$$missing"; exit 1; fi; \
	fi; \
	if command -v apt-get >/dev/null && ! ls /var/lib/apt/lists | grep -q Packages; then \
	  apt-get update -qq; \
	fi
endif

# The main job with the guest that is built in; every line is printed before it is run. A cache of
# its own, so that nothing of yours is touched; tcg, so that it works on every host.
DEMO_CACHE := $(CURDIR)/.build/demo-cache
demo: export QVM_CACHE := $(DEMO_CACHE)
demo: export QVM_QEMU := system
demo: export QVM_ACCEL := tcg
demo: deps release
	$(QVM) run --rm --detach --name demo demo 1
	$(QVM) wait demo --timeout 30
	$(QVM) status demo
	$(QVM) list
	$(QVM) stop demo
	$(QVM) list

# One target after the other: those that test time-outs don't run beside those that boot guests. The
# integration tests run the program that is shipped: the optimizer is a part of it, and it starts in a
# quarter of the time. The suites of DYNAMIC_TESTS need one that takes another libc by LD_PRELOAD.
UNIT_TARGETS := QMPClientTests QVMControlTests qvmTests
DYNAMIC_TESTS := ClockTests
test: deps
	sh Fixtures/Guests/build.sh $(CURDIR)/.build/guests
	sh Fixtures/Guests/linux/build.sh .build/guests-linux
	swift build --build-tests
	sh Tests/run.sh $(UNIT_TARGETS:%='^%\.') '^IntegrationTests\.($(DYNAMIC_TESTS))/'
	$(MAKE) release
	QVM_TEST_PROGRAM=$(CURDIR)/$(QVM) sh Tests/run.sh '^IntegrationTests\.'

test-release: deps release
	sh Fixtures/Guests/build.sh $(CURDIR)/.build/guests
	sh Fixtures/Guests/linux/build.sh .build/guests-linux
	swift build --build-tests
	QVM_TEST_PROGRAM=$(CURDIR)/$(QVM) sh Tests/run.sh '^IntegrationTests\.$(FILTER)'

lint:
	swift format lint --strict --recursive --configuration .swift-format $(SOURCES)
	@! grep -rnE '@unchecked Sendable|nonisolated\(unsafe\)|try!|Task\.detached' Sources || \
	  { echo "the lines above need another way"; exit 1; }
	@! grep -rnE '^ *#if (os|canImport)\(' Sources --include='*.swift' | grep -v /Platform/ || \
	  { echo "platform differences belong into a Platform folder"; exit 1; }
	@! grep -rnE '^ *(public |package |internal )?import Foundation' Sources || \
	  { echo "the sources do without Foundation"; exit 1; }
	@! grep -rnE 'return \(.*, .*try await' Sources || \
	  { echo "an optimized build loses a part of the tuples above: await before making them"; exit 1; }
	@python3 Tests/Layers/check.py "$(CURDIR)"

format:
	swift format --in-place --recursive --configuration .swift-format $(SOURCES)

# What a Mac would say of the sources; see Tests/Darwin/check.sh. On a Mac 'make build' says it.
check-macos:
	@if command -v apt-get >/dev/null && \
	  ! { python3 -m pip --version || /usr/bin/python3 -m pip --version; } >/dev/null 2>&1; then \
	  apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-pip; \
	fi
	sh Tests/Darwin/check.sh "$(CURDIR)"

# The versions of QEMU that the tests replay: the machine's own, and 10 and 11 from Debian's
# backports and sid, unpacked into folders of their own. Without an argument every scenario is
# recorded.
QEMU10 := $(CURDIR)/.build/qemu10
QEMU11 := $(CURDIR)/.build/qemu11
record: deps
	swift build --product qmp-record
	sh Fixtures/Guests/build.sh $(CURDIR)/.build/guests
	sh Fixtures/QMP/fetch-qemu.sh bookworm-backports $(QEMU10)
	sh Fixtures/QMP/fetch-qemu.sh sid $(QEMU11)
	.build/debug/qmp-record $$(command -v qemu-system-x86_64) $(CURDIR)/.build/guests Fixtures/QMP $(SCENARIO)
	for qemu in $(QEMU10) $(QEMU11); do \
	  .build/debug/qmp-record $$qemu/bin/qemu-system-x86_64 $(CURDIR)/.build/guests Fixtures/QMP $(SCENARIO) || exit 1; \
	done

install: release
	install -d "$(DESTDIR)$(PREFIX)/bin"
	install -m 0755 $(QVM) "$(DESTDIR)$(PREFIX)/bin/qvm"
ifeq ($(SYSTEM),Linux)
	install -d "$(DESTDIR)$(PREFIX)/lib/systemd/user"
	sed 's|/usr/local/bin|$(PREFIX)/bin|' Sources/qvm/systemd/qvm@.service \
	  >"$(DESTDIR)$(PREFIX)/lib/systemd/user/qvm@.service"
	chmod 0644 "$(DESTDIR)$(PREFIX)/lib/systemd/user/qvm@.service"
endif

# Linux only: it finds processes by /proc, and lets calls fail by strace.
ROUNDS ?= 500
campaign: deps release
	sh Fixtures/Guests/build.sh $(CURDIR)/.build/guests
	sh Tests/Campaigns/run.sh $(QVM) .build/guests/demo.img $(ROUNDS) $(SEED)

bench-startup: release
	sh Tests/Benchmarks/startup.sh $(QVM)

bench-lifecycle: deps release
	sh Tests/Benchmarks/lifecycle/run.sh $(QVM)

bench-qmp: deps
	sh Tests/Benchmarks/qmp/run.sh

bench-list: deps release
	sh Tests/Benchmarks/list/run.sh $(QVM) $(OTHER)

bench-copy: deps release
	sh Fixtures/Guests/linux/build.sh $(CURDIR)/.build/guests-linux
	sh Tests/Benchmarks/copy/run.sh $(QVM) $(CURDIR)/.build/guests-linux

bench-pull: deps release
	sh Tests/Benchmarks/pull/run.sh $(QVM)

clean:
	swift package clean
	rm -rf $(RELEASE) $(DEMO_CACHE) .build/guests
