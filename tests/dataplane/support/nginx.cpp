#include "tests/dataplane/support/nginx.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/dataplane/support/sockets.hpp"
#include "tests/support/files.hpp"

namespace portunus::test {

Nginx::Nginx(const std::string& listen, const std::string& body) : port_(free_port()) {
  const std::string dir = dir_.path().string();
  std::string config = "daemon off; master_process off; worker_processes 1;\n";
  config += "pid " + dir + "/pid; error_log " + dir + "/errors;\n";
  config += "events { worker_connections 64; }\nhttp {\n  access_log off;\n";
  for (const char* folder : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
    config += std::string("  ") + folder + "_temp_path " + dir + "/" + folder + ";\n";
  }
  config += "  server {\n    listen 127.0.0.1:" + std::to_string(port_) + " " + listen + ";\n";
  config += "    " + body + "\n  }\n}\n";
  write_file(dir_.path() / "nginx.conf", config);

  const std::string file = dir + "/nginx.conf";
  const std::string errors = dir + "/errors";
  pid_ = ::fork();
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::execl("/usr/sbin/nginx", "nginx", "-e", errors.c_str(), "-c", file.c_str(), nullptr);
    ::_exit(127);
  }
  if (!eventually([this] { return Socket::try_connect(port_).valid(); })) {
    throw std::runtime_error("nginx does not start: " + read_file(errors));
  }
}

Nginx::~Nginx() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace portunus::test
