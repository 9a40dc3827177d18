// SPDX-License-Identifier: Apache-2.0
//
// The one place where Asio's own code is compiled; everybody else gets its declarations. No state.
#include <boost/asio/impl/src.hpp>
