#pragma once
// Overloaded{lambdas...}: one visitor for std::visit out of a lambda for each alternative.
// Thread-safety: as the lambdas.

namespace gaur {

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

}  // namespace gaur
