# SPDX-License-Identifier: GPL-2.0
# For people. The objects of the modules are in Kbuild.
SHELL := /bin/bash
BUILD ?= $(CURDIR)/build
PREFIX ?= /usr
LIBDIR ?= $(PREFIX)/lib
KERNELS ?= 6.1 6.12
TEST ?=
SOAK ?= 100

# make takes a path with a blank in it for two
$(foreach v,CURDIR BUILD DESTDIR PREFIX LIBDIR KEY,$(if $(word 2,$($(v))),$(error $(v): no blanks, please: '$($(v))')))
# they are used from within other folders
override BUILD := $(abspath $(BUILD))
override DESTDIR := $(abspath $(DESTDIR))
export BUILD
export LPAR_BUILD := $(BUILD)

# What has been compiled once is not compiled again, in this tree or in another clone.
export PATH := /usr/lib/ccache:$(PATH)
export CCACHE_DIR ?= $(or $(LPAR_CACHE),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/lpar)/ccache
export CCACHE_BASEDIR := $(CURDIR)
export CCACHE_NOHASHDIR := 1

.PHONY: help
help: ## this list
	@echo 'make TARGET [VARIABLE=…]'; echo
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16
	@echo; echo '  TEST=name runs one test; KDIR=folder builds the modules for that kernel;'
	@echo '  KERNELS="6.1 6.12" are the kernels that are built for and tested.'

.PHONY: deps
deps: ## install what building and testing need (Debian 12)
	@tests/rig/deps

.PHONY: deps-build
deps-build: ## only what building and installing need, on a host or in a guest
	@tests/rig/deps build

.PHONY: modules
modules: ## lpar_host.ko and lpar_guest.ko, for KERNELS or for KDIR
ifdef KDIR
	@scripts/modules "$(KDIR)" "$(BUILD)/modules/$$(MAKEFLAGS= make -s -C "$(KDIR)" kernelrelease)"
else
	@for k in $(KERNELS); do scripts/modules $$k $(BUILD)/modules/$$k || exit 1; done
endif

.PHONY: qemu
qemu: ## the patched QEMU, in build/qemu
	@qemu-patches/build $(BUILD)/qemu

.PHONY: tools
tools: ## lparctl and lparstat, in build/tools
	@$(MAKE) --no-print-directory -C tools BUILD=$(BUILD)/tools

.PHONY: adjunct
adjunct: ## lpar-adjunct, its library, and images, in build/adjunct
	@$(MAKE) --no-print-directory -C adjunct BUILD=$(BUILD)/adjunct

.PHONY: keykeeper
keykeeper: ## the image keykeeper, which has the key in the file KEY=, in build/adjunct
	@$(MAKE) --no-print-directory -C adjunct BUILD=$(BUILD)/adjunct keykeeper KEY=$(abspath $(KEY))

.PHONY: demo
demo: KERNELS := 6.12
demo: deps modules qemu tools ## a guest's disk and NIC are the host's: watch it
	@eval "tests/rig/rig -k 6.12 $$(sed -n 's/^# rig: //p' tests/boot/demo) tests/boot/demo"

.PHONY: check
check: deps ## all tests: builds, units, boots on both kernels and the debug kernel
	@tests/check all $(TEST)

.PHONY: check-quick
check-quick: deps ## builds, static checks and unit tests: minutes
	@tests/check quick $(TEST)

.PHONY: check-debug
check-debug: deps ## the boot tests on the debug kernel: hours
	@tests/check debug $(TEST)

.PHONY: soak
soak: deps ## the attacks in their full counts: days (SOAK=1: one per cent of them)
	@LPAR_SOAK=$(SOAK) tests/check soak $(TEST)

.PHONY: kunit
kunit: deps ## the core's KUnit suite on the debug kernel, KTAP in build/logs
	@tests/check kunit

.PHONY: bench
bench: KERNELS := 6.12
bench: deps modules qemu tools ## host, VFIO, virtio and lpar side by side; build/bench/*.json (TEST=disk, net, adjunct, lparstat)
	@tests/bench/bench $(TEST)

.PHONY: install
install: tools adjunct ## tools, the SDK of adjuncts, DKMS sources, udev rules (DESTDIR=, PREFIX=, LIBDIR=)
	@scripts/install "$(DESTDIR)" "$(PREFIX)" "$(LIBDIR)"

.PHONY: uninstall
uninstall: ## remove what install puts there (DESTDIR=, PREFIX=, LIBDIR=)
	@scripts/uninstall "$(DESTDIR)" "$(PREFIX)" "$(LIBDIR)"

.PHONY: clean
clean: ## remove build/ (kernels and QEMU stay in the cache)
	rm -rf "$(BUILD)"
