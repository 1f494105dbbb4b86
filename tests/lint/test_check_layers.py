import check_layers
import pytest


@pytest.fixture
def good(tree):
    tree.write("cmake/Layers.cmake", """
        set(PORTUNUS_COMMON base log)
        set(PORTUNUS_LAYER_base "")
        set(PORTUNUS_LAYER_log base)
        set(PORTUNUS_LAYER_crypto ${PORTUNUS_COMMON})
        set(PORTUNUS_LAYER_tool crypto ${PORTUNUS_COMMON})  # comments do not count: secret
        """)
    for folder, name, headers in (("common/base", "base", "result.hpp version.hpp"),
                                  ("common/log", "log", "logger.hpp"),
                                  ("common/crypto", "crypto", "digest.hpp"),
                                  ("tool", "tool", "tool.hpp")):
        tree.write(f"src/{folder}/CMakeLists.txt",
                   f"portunus_library({name} SOURCES a.cpp PUBLIC_HEADERS {headers} DEPS base)\n")
    tree.write("src/common/base/result.hpp", "#pragma once\n#include <string>\n")
    tree.write("src/common/base/version.hpp.in", "")
    tree.write("src/common/log/logger.hpp", '#pragma once\n#include "common/base/result.hpp"\n')
    tree.write("src/common/log/inner.hpp", "#pragma once\n")
    tree.write("src/common/crypto/digest.hpp", "#pragma once\n")
    tree.write("src/common/crypto/digest.cpp",
               '#include "common/crypto/digest.hpp"\n#include <openssl/evp.h>\n')
    tree.write("src/tool/tool.hpp", "#pragma once\n")
    tree.write("src/tool/tool.cpp", '#include "tool/tool.hpp"\n#include "common/log/logger.hpp"\n'
               '#include "common/base/version.hpp"\n')
    tree.write("src/prog/CMakeLists.txt", "portunus_program(prog MAIN main.cpp DEPS tool)\n")
    tree.write("src/prog/main.cpp", '#include "tool/tool.hpp"\n')
    return tree


def problems(tree):
    return check_layers.check(tree.root)[0]


def test_a_good_tree_passes(good):
    assert problems(good) == []
    assert check_layers.main(["--root", str(good.root)]) == 0


@pytest.mark.parametrize("name, text, expected", [
    ("src/common/base/bad.hpp", '#include "common/log/logger.hpp"', "base may not use log"),
    ("src/tool/bad.cpp", '#include "common/log/inner.hpp"', "PUBLIC_HEADERS of log"),
    ("src/tool/bad.cpp", '#include "nowhere.hpp"', "no file under src/"),
    ("src/tool/bad.cpp", "#include <openssl/ssl.h>", "belongs to crypto"),
    ("src/tool/bad.cpp", "#include <sqlite3.h>", "belongs to server_store"),
    ("src/tool/bad.cpp", "#include <grpcpp/grpcpp.h>", "belongs to client_agent"),
    ("src/tool/bad.cpp", '#include "portunus/v1/rule.pb.h"', "belongs to client_agent"),
    ("src/common/crypto/digest.hpp", "#  include <openssl/evp.h>", "must not show in a public"),
    ("src/prog/main.cpp", '#include "common/log/logger.hpp"', "prog may not use log"),
    ("src/stray/stray.cpp", "", "belongs to no portunus_library"),
])
def test_each_violation_is_found_alone(good, name, text, expected):
    good.write(name, text + "\n")
    found = problems(good)
    assert len(found) == 1 and expected in found[0] and found[0].startswith(name)
    assert check_layers.main(["--root", str(good.root)]) == 1


def test_a_listed_header_must_exist(good):
    (good.root / "src/tool/tool.hpp").unlink()
    assert any("PUBLIC_HEADERS names a missing tool.hpp" in text for text in problems(good))


def test_an_empty_tree_is_no_success(tree):
    tree.write("cmake/Layers.cmake", "")
    (tree.root / "src").mkdir()
    assert problems(tree) != []
