// SPDX-License-Identifier: GPL-2.0
// A report as Prometheus has it.
#pragma once

#include <prometheus/metric_family.h>
#include <vector>

#include "report.h"

namespace lpar {

// @report: of everything since the beginning
std::vector<prometheus::MetricFamily> metrics_of(const Report &report);

} // namespace lpar
