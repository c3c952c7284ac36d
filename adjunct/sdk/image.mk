# SPDX-License-Identifier: GPL-2.0
# To be included by whoever makes an image NAME of its sources:
#
#   include /usr/share/lpar/sdk/image.mk
#   $(eval $(call lpar_image,NAME,source.cc …,STACK_PAGES,DRIVES))
#
# makes $(BUILD)/NAME.image, by default if no target comes before. STACK_PAGES is 4 where it is left out. DRIVES is for
# the driver of a PCI device: its 0xDEVICEVENDOR. NAME_flags are for the compiler: with -g,
# addr2line -e $(BUILD)/NAME/NAME.elf tells what is where.
lpar_sdk     := $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
lpar_include := $(firstword $(wildcard $(lpar_sdk)/include) $(lpar_sdk)/../../include)
BUILD        ?= build
CXX          ?= g++
# No register that nobody saves for an image; no code that wants what is not there.
lpar_flags   := -std=c++20 -O2 -Wall -Wextra -Werror -MMD -MP -I$(lpar_sdk) -I$(lpar_include) \
                -ffreestanding -mgeneral-regs-only -mcmodel=small -mno-red-zone -fno-pic \
                -fno-exceptions -fno-rtti -fno-stack-protector -fcf-protection=none \
                -fno-asynchronous-unwind-tables -fno-threadsafe-statics -ffunction-sections \
                -fdata-sections -fno-tree-loop-distribute-patterns

lpar_sources := $(addprefix $(lpar_sdk)/,start.cc loop.cc string.cc)

# $(call lpar_objects,NAME,SOURCES): the SDK's are in a folder of their own
lpar_objects = $(foreach source,$(2),$(BUILD)/$(1)/$(if $(filter $(lpar_sdk)/%,$(source)),sdk/)$(notdir $(basename $(source))).o)

# What assembler sources include, a cache of compilers gives the names of as they were elsewhere. Makefiles have the flags.
define lpar_image
.PHONY: lpar_images
lpar_images: $(BUILD)/$(1).image
$(foreach source,$(2) $(lpar_sources),
$(call lpar_objects,$(1),$(source)): $(source) $(filter-out %.d,$(MAKEFILE_LIST))
	@mkdir -p $$(@D)
	$$(if $$(filter %.S,$$<),CCACHE_DISABLE=1) $$(CXX) $$(lpar_flags) $$($(1)_flags) -c -o $$@ $$<
)
$(BUILD)/$(1)/$(1).elf: $(call lpar_objects,$(1),$(2) $(lpar_sources)) $(lpar_sdk)/image.lds
	$$(CXX) -nostdlib -static -no-pie -Wl,--gc-sections -Wl,--build-id=none \
		-Wl,--orphan-handling=error -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments \
		-Wl,--defsym=LPAR_STACK_PAGES=$(or $(3),4) -Wl,--defsym=LPAR_DRIVES=$(or $(4),0) \
		-T $(lpar_sdk)/image.lds -o $$@ $$(filter %.o,$$^) -lgcc
$(BUILD)/$(1).image: $(BUILD)/$(1)/$(1).elf $(lpar_sdk)/image
	$(lpar_sdk)/image $$< $$@
-include $(wildcard $(BUILD)/$(1)/*.d $(BUILD)/$(1)/sdk/*.d)
endef
