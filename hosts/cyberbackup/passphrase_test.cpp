// SPDX-License-Identifier: Apache-2.0
//
// Passphrases from files and from a terminal (a pseudo terminal, as programs see a real one).
#include "hosts/cyberbackup/passphrase.h"

#include "hosts/cyberbackup/hidden_line.h"
#include "hosts/cyberbackup/slot_choice.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace cb {
namespace {

namespace fs = std::filesystem;

class PassphraseFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "cb-passphrase-XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string file(const std::string& content) {
    const fs::path path = folder_ / "file";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }
  static Result<Secret> read(const std::string& from) {
    CommonOptions options;
    options.passphrase_file = from;
    return read_passphrase(options, "? ");
  }

  fs::path folder_;
};

TEST_F(PassphraseFile, gives_its_one_line_without_the_ending) {
  for (const char* ending : {"", "\n", "\r\n"}) {
    const auto line = read(file(std::string("  two words ") + ending));
    ASSERT_TRUE(line) << line.error().text();
    EXPECT_EQ(as_text(line->view()), "  two words ");
  }
}

TEST_F(PassphraseFile, is_refused_when_empty_long_or_of_several_lines) {
  EXPECT_EQ(read(file("")).error().code, Code::invalid);
  EXPECT_EQ(read(file("\n")).error().code, Code::invalid);
  EXPECT_EQ(read(file("one\ntwo\n")).error().code, Code::invalid);
  EXPECT_EQ(read(file(std::string(5000, 'x'))).error().code, Code::limit);
  EXPECT_EQ(read(folder_ / "none").error().code, Code::not_found);
}

TEST_F(PassphraseFile, of_the_environment_counts_when_none_is_given) {
  ::setenv("CYBERBACKUP_PASSPHRASE_FILE", file("from the environment\n").c_str(), 1);
  const auto line = read("");
  ::unsetenv("CYBERBACKUP_PASSPHRASE_FILE");
  ASSERT_TRUE(line) << line.error().text();
  EXPECT_EQ(as_text(line->view()), "from the environment");
}

class HiddenLine : public testing::Test {
 protected:
  void SetUp() override {
    keyboard_ = ::posix_openpt(O_RDWR | O_NOCTTY);
    ASSERT_GE(keyboard_, 0);
    ASSERT_EQ(::grantpt(keyboard_), 0);
    ASSERT_EQ(::unlockpt(keyboard_), 0);
    terminal_ = ::open(::ptsname(keyboard_), O_RDWR | O_NOCTTY);
    ASSERT_GE(terminal_, 0);
  }
  void TearDown() override {
    ::close(terminal_);
    ::close(keyboard_);
  }

  // Types once the prompt has come, as people do, and gives what the screen shows.
  Result<Secret> type(const std::string& keys, std::string& screen) {
    std::thread person([&] {
      while (screen.find("? ") == std::string::npos) look(screen);
      ASSERT_EQ(::write(keyboard_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
      while (screen.find('\n') == std::string::npos) look(screen);
    });
    auto line = read_hidden_line(terminal_, "Well? ");
    person.join();
    return line;
  }

  void look(std::string& screen) const {
    char buffer[256];
    const ssize_t got = ::read(keyboard_, buffer, sizeof buffer);
    if (got > 0) screen.append(buffer, static_cast<size_t>(got));
  }

  int keyboard_ = -1;
  int terminal_ = -1;
};

TEST_F(HiddenLine, is_not_shown_and_the_terminal_is_as_before) {
  termios before{};
  ::tcgetattr(terminal_, &before);
  std::string screen;
  const auto line = type("secret\n", screen);
  ASSERT_TRUE(line) << line.error().text();
  EXPECT_EQ(as_text(line->view()), "secret");
  EXPECT_EQ(screen, "Well? \r\n");
  termios after{};
  ::tcgetattr(terminal_, &after);
  EXPECT_EQ(before.c_lflag, after.c_lflag);
}

TEST_F(HiddenLine, can_be_mended_while_it_is_typed) {
  std::string screen;
  EXPECT_EQ(as_text(type("wrong\x15hallö\x7fo\r", screen)->view()), "hallo");
  screen.clear();
  EXPECT_EQ(as_text(type("\x7f\x7f"
                         "a\x08"
                         "b\n",
                         screen)
                        ->view()),
            "b");
}

TEST_F(HiddenLine, ends_with_ctrl_c_and_leaves_the_echo_on) {
  std::string screen;
  EXPECT_EQ(type("sec\x03", screen).error().code, Code::cancelled);
  termios after{};
  ::tcgetattr(terminal_, &after);
  EXPECT_NE(after.c_lflag & static_cast<tcflag_t>(ECHO), 0u);
}

TEST(HiddenLineOfNoTerminal, is_an_error) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_FALSE(read_hidden_line(ends[0], "?"));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST(SlotChoice, takes_an_id_or_its_beginning) {
  std::vector<repository::KeySlot> slots(2);
  slots[0].id.bytes.fill(std::byte{0x11});
  slots[1].id.bytes.fill(std::byte{0x11});
  slots[1].id.bytes[5] = std::byte{0x22};
  const auto code_of = [&](const std::string& text) {
    return choose_slot(slots, text).error().code;
  };
  EXPECT_EQ(choose_slot(slots, slots[0].id.hex())->id, slots[0].id);
  EXPECT_EQ(choose_slot(slots, "111111111122")->id, slots[1].id);
  EXPECT_EQ(code_of("1111"), Code::invalid);
  EXPECT_EQ(code_of("111"), Code::invalid);
  EXPECT_EQ(code_of(""), Code::invalid);
  EXPECT_EQ(code_of("1112"), Code::not_found);
  EXPECT_EQ(code_of(slots[0].id.hex() + "0"), Code::not_found);
}

}  // namespace
}  // namespace cb
