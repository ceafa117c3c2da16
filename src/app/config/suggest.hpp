#pragma once
#include "base/suggest.hpp"

namespace gaur::app {
using gaur::did_you_mean;
using gaur::edit_distance;
using gaur::nearest;
}  // namespace gaur::app
