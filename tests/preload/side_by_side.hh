// A real program by turns in three ways: without the preload, under `srcsel run --via preload`, and
// under the bare preload, which asks the kernel. All it does must work in each; what each took is
// printed side by side.
//
// While a program is under the preload, what would leave by Telecom gets no answer: the server has
// no way back to those addresses. Servers run in the same three ways, a port each.
//
// SRCSEL_SECONDS is how long each program is at work under the preload, and then being slower than
// without it is a failure too. Without the variable each way is taken once.

#pragma once

#include <functional>
#include <string>
#include <vector>

#include "preload/preload_scene.hh"

namespace srcsel::lab {

enum Way { kWithout, kImage, kKernel, kWays };

// What a program is to do again and again, by itself to an end.
struct Load {
  std::string name;
  std::function<Words(Way)> words;
  std::string shows;  // on its stdout
};

class SideBySideTest : public PreloadTest {
 protected:
  SideBySideTest();
  void TearDown() override;

  // Which of the two: that of the short form, or of SRCSEL_SECONDS.
  static int Many(int few, int many);

  // A directory that the ordinary user may write to.
  std::string Home(const std::string &name) const;

  // Starts a server in every way, on the server or on the client; each says `ready` when it is.
  void Serve(const Host &host, const std::function<Words(Way)> &words, const std::string &ready);

  // The command, by an ordinary user of that host.
  Command Under(Way way, const Host &host, const Words &words) const;

  void Compare(const Load &load);

  const Host &server_;

 private:
  void OnlyUnicom(bool only) const;
  double Took(const Load &load, Way way) const;

  std::vector<Process> servers_;
};

}  // namespace srcsel::lab
