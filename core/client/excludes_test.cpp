// SPDX-License-Identifier: Apache-2.0
#include "core/client/excludes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>
#include <sstream>

namespace cb::client {
namespace {

struct Case {
  std::vector<std::string> patterns;
  std::string path;  // a slash at the end: a folder
  bool excluded;
};

bool excluded(const std::vector<std::string>& patterns, std::string path) {
  const bool folder = path.ends_with('/');
  if (folder) path.pop_back();
  return Excludes::compile(patterns).value().match(path, folder);
}

TEST(Excludes, patterns_mean_what_gitignore_says) {
  const std::vector<Case> cases = {
      // without a slash: at any depth
      {{"foo"}, "foo", true},
      {{"foo"}, "a/b/foo", true},
      {{"foo"}, "a/b/foo/", true},
      {{"foo"}, "foobar", false},
      {{"*.o"}, "src/a.o", true},
      {{"*.o"}, ".o", true},
      {{"*.o"}, "a.oo", false},
      // a slash at the end: folders only
      {{"foo/"}, "foo", false},
      {{"foo/"}, "a/foo/", true},
      // a slash at the start or in the middle: from the root
      {{"/foo"}, "foo", true},
      {{"/foo"}, "a/foo", false},
      {{"doc/frotz"}, "doc/frotz", true},
      {{"doc/frotz"}, "a/doc/frotz", false},
      {{"doc/frotz/"}, "doc/frotz/", true},
      {{"doc/frotz/"}, "doc/frotz", false},
      // * and ? do not cross a slash
      {{"foo/*"}, "foo/test.json", true},
      {{"foo/*"}, "foo/bar/hello.c", false},
      {{"foo?bar"}, "foo/bar", false},
      {{"/f?o"}, "fxo", true},
      {{"/f?o"}, "fo", false},
      // **
      {{"**/foo"}, "foo", true},
      {{"**/foo"}, "a/b/foo", true},
      {{"**/foo/bar"}, "x/foo/bar", true},
      {{"**/foo/bar"}, "x/foo/y/bar", false},
      {{"abc/**"}, "abc/x/y", true},
      {{"abc/**"}, "abc/", false},
      {{"a/**/b"}, "a/b", true},
      {{"a/**/b"}, "a/x/y/b", true},
      {{"a/**/b"}, "ab", false},
      {{"a/**/b/**/c"}, "a/b/x/b/y/c", true},
      {{"a/x**y"}, "a/xzzy", true},
      {{"a/x**y"}, "a/xz/zy", false},
      {{"/**"}, "a/b", true},
      // classes
      {{"*.py[cod]"}, "x.pyc", true},
      {{"*.py[cod]"}, "x.py", false},
      {{"[a-c]x"}, "bx", true},
      {{"[!a-c]x"}, "bx", false},
      {{"[^a-c]x"}, "dx", true},
      {{"[]x]y"}, "]y", true},
      {{"[a-]y"}, "-y", true},
      {{"[[:digit:]]"}, "7", true},
      {{"[[:upper:][:digit:]]"}, "q", false},
      {{"[\\]]"}, "]", true},
      {{"/a[/b]c"}, "a/c", false},
      // escapes, comments, spaces
      {{"\\#x"}, "#x", true},
      {{"#x"}, "#x", false},
      {{"\\!x"}, "!x", true},
      {{"\\*"}, "a", false},
      {{"\\*"}, "*", true},
      {{"foo  "}, "foo", true},
      {{"foo\\ "}, "foo ", true},
      {{"foo\\ "}, "foo", false},
      {{""}, "", false},
      {{"foo\r"}, "foo", true},
      // negation: the last that matches decides
      {{"*.log", "!keep.log"}, "a/keep.log", false},
      {{"!keep.log", "*.log"}, "a/keep.log", true},
      {{"*", "!*/"}, "a/", false},
      {{"*", "!*/"}, "a", true},
      // bytes are bytes
      {{"a*z"}, "a\n\xff\x80z", true},
      {{"-rf"}, "-rf", true},
      {{"\xf0\x9f\x98\x80"}, "d/\xf0\x9f\x98\x80", true},
  };
  for (const Case& one : cases)
    EXPECT_EQ(excluded(one.patterns, one.path), one.excluded)
        << testing::PrintToString(one.patterns) << " against " << one.path;
}

TEST(Excludes, a_pattern_that_can_match_nothing_is_refused_with_its_text) {
  for (const std::string pattern : {"a[b", "a\\", "/", "a//b", "//a", "[[:nothing:]]"}) {
    const auto compiled = Excludes::compile({pattern});
    ASSERT_FALSE(compiled) << pattern;
    EXPECT_EQ(compiled.error().code, Code::invalid);
    EXPECT_NE(compiled.error().text().find(pattern), std::string::npos);
  }
  EXPECT_FALSE(Excludes::compile({std::string("a\0b", 3)}));
}

TEST(Excludes, an_anchored_pattern_that_lies_beside_all_sources_is_told) {
  const auto beside = [](const std::vector<std::string>& patterns) {
    auto excludes = Excludes::compile(patterns);
    EXPECT_TRUE(excludes);
    return excludes->beside({"home/ann", "etc"});
  };
  using Patterns = std::vector<std::string>;
  EXPECT_EQ(beside({"/build", "cache/tmp/", "!/srv/x", "/home/bob/*", "/home/[b-z]*/tmp"}),
            (Patterns{"/build", "cache/tmp/", "!/srv/x", "/home/bob/*", "/home/[b-z]*/tmp"}));
  EXPECT_EQ(beside({"build", "*.o", "/home", "/home/*/tmp", "/etc/ssl", "**/cache/tmp", "/e?c/x",
                    "home/ann/a/b/c", "/*"}),
            Patterns());
  EXPECT_EQ(Excludes::compile({"/build"}).value().beside({""}), Patterns())
      << "the root is the source";
}

TEST(Excludes, a_hostile_pattern_takes_no_time) {
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "*a";
  const std::string name(20000, 'a');
  EXPECT_FALSE(excluded({pattern + "b"}, name + "c"));
  EXPECT_FALSE(excluded({pattern + "b*"}, name));
  std::string deep = "x";
  for (int i = 0; i < 2000; ++i) deep += "/a";
  EXPECT_FALSE(excluded({"**/a/**/a/**/a/**/a/**/b*/z"}, deep));
}

class GitJudge : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "cb-excludes-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
    if (std::system(("git -C " + folder_.string() + " init -q . 2> /dev/null").c_str()) != 0)
      GTEST_SKIP() << "there is no git here";
    for (const char* path : kFolders) std::filesystem::create_directories(folder_ / path);
    for (const char* path : kFiles) std::ofstream(folder_ / path).put('x');
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // What git ignores of all paths, by the pattern that decides for that very path.
  std::set<std::string> git_ignored(const std::vector<std::string>& patterns) {
    std::ofstream ignore(folder_ / ".git" / "info" / "exclude");
    for (const std::string& pattern : patterns) ignore << pattern << '\n';
    ignore.close();
    std::ofstream list(folder_ / ".git" / "list");
    for (const char* path : kFolders) list << path << '\n';
    for (const char* path : kFiles) list << path << '\n';
    list.close();
    const std::string command =
        "cd " + folder_.string() + " && git check-ignore --no-index --stdin < .git/list > .git/out";
    if (std::system(command.c_str()) < 0) ADD_FAILURE() << "git does not run";
    std::ifstream out(folder_ / ".git" / "out");
    std::set<std::string> ignored;
    for (std::string line; std::getline(out, line);) ignored.insert(line);
    return ignored;
  }

  // Asterisks in a row that do not fill a component are documented as one asterisk; git itself
  // reads them in another way when the text before them has no wildcard. Ours are as documented.
  static bool git_keeps_its_word(const std::string& pattern) {
    const std::string line = pattern.starts_with('!') ? pattern.substr(1) : pattern;
    for (size_t at = 0; (at = line.find("**", at)) != std::string::npos;) {
      const size_t end = std::min(line.find_first_not_of('*', at), line.size());
      if ((at > 0 && line[at - 1] != '/') || (end < line.size() && line[end] != '/')) return false;
      at = end;
    }
    return true;
  }

  // The same by a walk from the top, as a backup does it.
  static bool walk_excludes(const Excludes& excludes, const std::string& path, bool folder) {
    for (size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1))
      if (excludes.match(path.substr(0, slash), true)) return true;
    return excludes.match(path, folder);
  }

  static constexpr std::array<const char*, 9> kFolders = {"a",   "a/b", "a/b/c", "a/ab",   "b",
                                                          "b/a", "ab",  "ab/a",  "a/b/c/a"};
  static constexpr std::array<const char*, 14> kFiles = {
      "a/x",     "a/b/x", "a/b/c/ab.c", "a/ab/c", "b/a/b", "b/a/x.c", "ab/a/b",
      "ab/ab.c", "x",     "c",          "x.c",    "a/-",   "b/]",     "a/b/c/a/x"};
  std::filesystem::path folder_;
};

TEST_F(GitJudge, random_patterns_exclude_what_git_ignores) {
  const unsigned seed = std::random_device{}();
  std::mt19937 random(seed);
  const std::vector<std::string> pieces = {"a",    "b",     "c",   "x",   "/",    "/",
                                           "*",    "**",    "?",   ".",   "/**/", "[ab]",
                                           "[!a]", "[a-c]", "\\a", "**/", "/*"};
  int compared = 0;
  for (int round = 0; round < 150; ++round) {
    std::vector<std::string> patterns;
    for (unsigned i = 0; i < 1 + random() % 3; ++i) {
      std::string pattern = random() % 4 == 0 ? "!" : "";
      for (unsigned k = 0; k < 1 + random() % 5; ++k) pattern += pieces[random() % pieces.size()];
      if (git_keeps_its_word(pattern) && Excludes::compile({pattern})) patterns.push_back(pattern);
    }
    const Excludes excludes = Excludes::compile(patterns).value();
    const std::set<std::string> ignored = git_ignored(patterns);
    const auto check = [&](const char* path, bool folder) {
      EXPECT_EQ(walk_excludes(excludes, path, folder), ignored.contains(path))
          << path << " against " << testing::PrintToString(patterns) << ", seed " << seed;
      ++compared;
    };
    for (const char* path : kFolders) check(path, true);
    for (const char* path : kFiles) check(path, false);
    if (HasFailure()) break;
  }
  EXPECT_GT(compared, 3000);
}

}  // namespace
}  // namespace cb::client
