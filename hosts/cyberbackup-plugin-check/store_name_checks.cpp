// SPDX-License-Identifier: Apache-2.0
//
// Stores: a name that is none gets past the host's own check here, and must be refused.
#include "core/plugin/instance.h"
#include "hosts/cyberbackup-plugin-check/store_checks.h"
#include "hosts/cyberbackup-plugin-check/store_objects.h"
#include "hosts/cyberbackup-plugin-check/subject.h"

namespace cb::check {
namespace {

using plugin::Function;
using plugin::Tag;

const std::vector<std::string>& hostile_names() {
  static const std::vector<std::string> names = {"",
                                                 "/",
                                                 "/a",
                                                 "a/",
                                                 "a//b",
                                                 ".",
                                                 "..",
                                                 "../x",
                                                 "a/../b",
                                                 "a/./b",
                                                 "a/..",
                                                 "./a",
                                                 "a/.",
                                                 "A",
                                                 "a b",
                                                 "a\\b",
                                                 "a\nb",
                                                 "a\xff",
                                                 "a,b",
                                                 "a=b",
                                                 "a*",
                                                 "a:b",
                                                 "a'; drop table objects; --",
                                                 "%2e",
                                                 std::string(CB_STORE_NAME_MAX + 1, 'a'),
                                                 std::string(5000, 'a'),
                                                 "../../../../../../../../../../etc/passwd"};
  return names;
}

// Tries one name with each function that takes one.
class NameTrial {
 public:
  explicit NameTrial(plugin::Store& store)
      : instance_(*store.instance()), ops_(instance_.ops<cb_store_ops>()) {}

  Status refuses(const std::string& name) {
    const std::string shown =
        " of '" + plugin::one_line(name.data(), std::min<size_t>(name.size(), 40)) + "'";
    cb_put* put = nullptr;
    const auto begun =
        instance_.gate().call(Function{"put_begin", Tag::blocking}, ops_.put_begin,
                              instance_.handle(), name.c_str(), uint64_t{0}, uint32_t{0}, &put);
    if (put != nullptr)
      instance_.gate().end(Function{"put_abort", Tag::blocking}, ops_.put_abort, put);
    CB_TRY(expect_refusal(begun, Code::invalid, "put_begin" + shown));
    cb_get* get = nullptr;
    const auto opened =
        instance_.gate().call(Function{"get_open", Tag::blocking}, ops_.get_open,
                              instance_.handle(), name.c_str(), uint64_t{0}, uint64_t{0}, &get);
    if (get != nullptr)
      instance_.gate().end(Function{"get_close", Tag::blocking}, ops_.get_close, get);
    CB_TRY(expect_refusal(opened, Code::invalid, "get_open" + shown));
    cb_object object{};
    object.size = sizeof object;
    CB_TRY(expect_refusal(instance_.gate().call(Function{"stat", Tag::blocking}, ops_.stat,
                                                instance_.handle(), name.c_str(), &object),
                          Code::invalid, "stat" + shown));
    return expect_refusal(instance_.gate().call(Function{"remove", Tag::blocking}, ops_.remove,
                                                instance_.handle(), name.c_str()),
                          Code::invalid, "remove" + shown);
  }

  // Neither a prefix nor a place to go on from that no name could start with is taken.
  Status refuses_to_list(const std::string& prefix, const std::string& after) {
    cb_list* list = nullptr;
    const auto opened =
        instance_.gate().call(Function{"list_open", Tag::blocking}, ops_.list_open,
                              instance_.handle(), prefix.c_str(), after.c_str(), &list);
    if (list != nullptr)
      instance_.gate().end(Function{"list_close", Tag::blocking}, ops_.list_close, list);
    return expect_refusal(opened, Code::invalid,
                          "list_open of prefix '" + prefix + "' after '" + after + "'");
  }

 private:
  plugin::Instance& instance_;
  const cb_store_ops& ops_;
};

}  // namespace

Result<Verdict> store_hostile_names(Subject& subject) {
  CB_ASSIGN(plugin::Store store, subject.make<plugin::Store>());
  CB_TRY(put_object(store, "a", pattern(1, 10)));
  NameTrial trial(store);
  for (const std::string& name : hostile_names()) CB_TRY(trial.refuses(name));
  const bool resumes = (store.capabilities() & CB_STORE_LIST_AFTER) != 0;
  for (const std::string start : {"/", "A", "a//", "../", "a/./", "a b", "%"}) {
    CB_TRY(trial.refuses_to_list(start, ""));
    if (resumes) CB_TRY(trial.refuses_to_list("", start));
  }
  CB_ASSIGN(const auto names, list_names(store));
  CB_TRY(expect(names == std::vector<std::string>{"a"}, "a hostile name left an object"));
  return passed();
}

}  // namespace cb::check
