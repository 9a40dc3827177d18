// SPDX-License-Identifier: Apache-2.0
//
// `cyberbackup enroll`: this device becomes the first owner of an account, or comes in with an
// owner's invite.
#include <cstdio>
#include <iostream>
#include <iterator>

#include "core/client/enrolment.h"
#include "core/client/recovery_code.h"
#include "core/report/json.h"
#include "core/repository/device_name.h"
#include "core/repository/signatures.h"
#include "hosts/cyberbackup/commands.h"
#include "hosts/cyberbackup/newcomer.h"
#include "hosts/cyberbackup/passphrase.h"

namespace cb {
namespace {

constexpr const char* kEnrollExample =
    "Examples:\n"
    "  cyberbackup enroll cb1.AQEC... --name desk    the first device of an account\n"
    "  cyberbackup enroll cbi1.AQEC...               with an owner's invite\n"
    "  cyberbackup enroll - < FILE                   keeps it out of the list of processes\n"
    "\n"
    "A token comes from the server's operator (cyberbackupd token create). The passphrase is "
    "new\n"
    "and yours alone; the recovery code is printed once. One of the two is needed to restore.\n"
    "An invite comes from an owner (cyberbackup device invite) and says which role the device "
    "gets:\n"
    "writers need no passphrase, readers and owners choose one. Its name comes with it, too.\n"
    "When it was interrupted, run it again with the same text and passphrase.";

Result<client::V4Welcome> send(Workplace& place, const client::Enrolment& enrolment) {
  return try_servers<client::V4Welcome>(
      place, {enrolment.profile.servers, enrolment.profile.pin},
      [&](const stream::Stack& stack, const stream::Target& target) {
        return client::enroll(stack, target, enrolment);
      });
}

// True when all of it went out: only then was the recovery code shown.
bool print(const std::string& text) {
  return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
         std::fflush(stdout) == 0;
}

std::string enrolled_json(const CommonOptions& options, const client::Enrolment& done,
                          const std::string& device, const std::string& code) {
  return report::json_line({{"event", "done"},
                            {"profile", options.profile},
                            {"account", done.profile.account},
                            {"repository", done.profile.repository.hex()},
                            {"device", device},
                            {"recovery_code", code},
                            {"exit", 0}}) +
         "\n";
}

std::string enrolled_text(const CommonOptions& options, const client::Enrolment& done,
                          const std::string& code) {
  const std::string profile =
      options.profile == "default" ? std::string() : " --profile " + options.profile;
  return "Enrolled in account " + done.profile.account + " as profile " + options.profile +
         ".\n\nRecovery code:\n\n    " + code +
         "\n\nIt is shown this once. Write it down and keep it away from this machine: it opens "
         "the\n"
         "backups when the passphrase is lost. Without passphrase and code nobody can open them,\n"
         "the server's operator neither.\n\nNext: cyberbackup" +
         profile + " backup FOLDER\n";
}

Status show(const CommonOptions& options, const client::Enrolment& done) {
  const std::string code = client::format_recovery_code(done.recovery_code.view());
  CB_ASSIGN(const auto device, repository::decode_certificate(done.certificate));
  const bool shown = print(
      options.json ? enrolled_json(options, done, repository::device_of(device.device).hex(), code)
                   : enrolled_text(options, done, code));
  if (shown) return {};
  return failed(Code::io, "standard output", "did not take the recovery code",
                "run it again with the same token and passphrase: the code is printed then");
}

// What a person would be asked in vain for.
Status check_free(const client::EnrolmentParts& parts) {
  if (!client::has_profile(*parts.files, parts.folder) ||
      client::enrolment_pending(*parts.files, parts.folder))
    return {};
  return failed(Code::exists, "profile " + parts.folder.filename().string(), "is enrolled already",
                "choose another name with --profile, or remove " + parts.folder.string());
}

Result<client::Enrolment> begin(const CommonOptions& options, const client::EnrolmentParts& parts,
                                const repository::PairingToken& token, const std::string& name) {
  CB_TRY(check_free(parts));
  if (!name.empty()) CB_TRY(repository::check_device_name(name));
  const bool goes_on = client::enrolment_pending(*parts.files, parts.folder);
  CB_ASSIGN(
      const Secret passphrase,
      read_passphrase(
          options,
          goes_on ? "Passphrase of the enrolment that was begun: " : "New passphrase: ", !goes_on));
  return client::begin_enrolment(parts, token, {as_text(passphrase.view()), name});
}

tl::unexpected<Failure> here(Error error) { return tl::unexpected<Failure>({std::move(error)}); }

Newcoming found_account(const CommonOptions& options, const std::string& text,
                        const std::string& name) {
  const auto token = repository::parse_pairing_token(text);
  if (!token) return here(token.error());
  const auto place = Workplace::open(options);
  if (!place) return here(place.error());
  const client::EnrolmentParts parts = enrolment_parts(**place);
  const bool went_on = client::enrolment_pending(*parts.files, parts.folder);
  auto enrolment = begin(options, parts, *token, name);
  if (!enrolment) return here(enrolment.error());
  const auto welcome = send(**place, *enrolment);
  if (!welcome) {
    // Keys that the server never took are of no use to anybody.
    if (!went_on && welcome.error().code == Code::denied) (void)client::finish_enrolment(parts);
    return tl::unexpected<Failure>({welcome.error(), true});
  }
  Status done = remember_server(**place, enrolment->profile.repository, *welcome);
  if (done) done = client::accept_enrolment(parts, *enrolment, welcome->account);
  if (done) done = show(options, *enrolment);
  if (done) done = client::finish_enrolment(parts);
  if (!done) return here(done.error());
  return {};
}

Newcoming run_enroll(const CommonOptions& options, const std::string& text,
                     const std::string& name) {
  if (!repository::looks_like_invite(text)) return found_account(options, text, name);
  // Nobody but an owner can seal a name.
  if (!name.empty())
    return here(fail(Code::invalid, "--name", "goes with a pairing token, and this is an invite",
                     "leave it out: the owner names the device with `cyberbackup device invite "
                     "--name`"));
  return join_by_invite(options, text);
}

}  // namespace

void add_enroll_command(CLI::App& app, CommonOptions& options, int& exit_code) {
  CLI::App* command = app.add_subcommand("enroll", "Pair this device with an account of a server");
  command->footer(kEnrollExample);
  const auto token = std::make_shared<std::string>();
  command
      ->add_option("TOKEN", *token,
                   "The pairing token or the invite, or - to read it from standard input")
      ->required();
  const auto name = std::make_shared<std::string>();
  command->add_option("--name", *name, "With a token: how the owners see this device");
  command->callback([&options, &exit_code, token, name] {
    if (*token == "-") {
      token->assign(std::istreambuf_iterator<char>(std::cin), {});
    }
    const auto done = run_enroll(options, *token, *name);
    if (!done) exit_code = report_failure(options, done.error().error, done.error().dialled);
  });
}

}  // namespace cb
