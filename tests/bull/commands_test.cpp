// Every command of our scripts exists in Redis 5.0: the table has the version that introduced each. A script
// with another command fails here until the command is added.
#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <regex>

#include "bull/script_texts.hpp"

namespace gaur::bull {
namespace {

constexpr int kFloor = 500;  // 5.0.0

std::string without_comments(std::string_view text) {
  return std::regex_replace(std::string(text), std::regex("--[^\n]*"), "");
}

const std::map<std::string, int> kSince{
    {"DEL", 100},
    {"EXISTS", 100},
    {"EXPIRE", 100},
    {"GET", 100},
    {"HDEL", 200},
    {"HEXISTS", 200},
    {"HGET", 200},
    {"HGETALL", 200},
    {"HINCRBY", 200},
    {"HKEYS", 200},
    {"HLEN", 200},
    {"HMGET", 200},
    {"HMSET", 200},
    {"HSETNX", 200},
    {"HVALS", 200},
    {"HSCAN", 280},
    {"HSET", 200},
    {"INCR", 100},
    {"INCRBY", 100},
    {"KEYS", 100},
    {"LINDEX", 100},
    {"LINSERT", 220},
    {"LLEN", 100},
    {"LPUSH", 100},
    {"LRANGE", 100},
    {"LREM", 100},
    {"LSET", 100},
    {"LTRIM", 100},
    {"MGET", 100},
    {"PEXPIRE", 260},
    {"PSETEX", 260},
    {"PTTL", 260},
    {"PUBLISH", 200},
    {"RENAME", 100},
    {"RPOP", 100},
    {"RPOPLPUSH", 120},
    {"RPUSH", 100},
    {"SADD", 100},
    {"SCAN", 280},
    {"SCARD", 100},
    {"SET", 100},
    {"SISMEMBER", 100},
    {"SMEMBERS", 100},
    {"SREM", 100},
    {"TIME", 260},
    {"TYPE", 100},
    {"UNLINK", 400},
    {"ZADD", 120},
    {"ZCARD", 120},
    {"ZCOUNT", 200},
    {"ZRANGE", 120},
    {"ZRANGEBYSCORE", 105},
    {"ZRANK", 200},
    {"ZREM", 120},
    {"ZREMRANGEBYRANK", 200},
    {"ZREMRANGEBYSCORE", 120},
    {"ZREVRANGE", 120},
    {"ZREVRANGEBYSCORE", 220},
    {"ZSCORE", 120},
};

/// Forms of old commands that only newer servers support: RPOP key count, SET ... GET|KEEPTTL, ZRANGE ...
/// BYSCORE|REV, EXPIRE ... NX|GT, ZADD ... GT|LT.
const std::regex kNewForms(
    R"(call\('RPOP',[^()]*,[^()]*\)|'KEEPTTL'|'BYSCORE'|'BYLEX'|'REV'|'GT'|'LT'|'SET',[^()]*'GET')");

TEST(ScriptCommands, ExistInTheOldestServer) {
  const std::regex calls(
      R"((?:(?:redis\.p?call|[^\w.]call|read_hash)\((?:\w+ and )?|call\(\w+ and '\w+' or )'(\w+)')");
  std::size_t seen = 0;
  for (const redis_store::ScriptText& script : script_texts()) {
    const std::string text = without_comments(script.text);
    for (auto call = std::sregex_iterator(text.begin(), text.end(), calls); call != std::sregex_iterator();
         ++call) {
      const std::string command = (*call)[1];
      const auto known = kSince.find(command);
      ++seen;
      if (known == kSince.end()) {
        ADD_FAILURE() << "script " << script.verb << " calls " << command
                      << ": look up since when it is there";
        continue;
      }
      EXPECT_LE(known->second, kFloor) << script.verb << ": " << command;
    }
    std::smatch form;
    EXPECT_FALSE(std::regex_search(text, form, kNewForms)) << script.verb << ": " << form.str();
  }
  EXPECT_GT(seen, 100U) << "the search for calls finds nothing";
}

/// The search above finds only literal names.
TEST(ScriptCommands, AreLiteralsAtEachCall) {
  // call(newest and 'ZREVRANGE' or 'ZRANGE', ...) names both; only such a choice may stand for a name.
  // read_hash() passes its arguments on, so its callers are checked.
  const std::regex hidden(
      R"((redis\.p?call|[^\w.]call|read_hash)\s*\((?!\s*')(?!\w+ and '\w+' or '\w+')(?!\.\.\.\)))");
  for (const redis_store::ScriptText& script : script_texts()) {
    const std::string text = without_comments(script.text);
    std::smatch found;
    EXPECT_FALSE(std::regex_search(text, found, hidden)) << script.verb << ": " << found.str();
  }
}

TEST(ScriptCommands, HaveNoIncludeLeft) {
  for (const redis_store::ScriptText& script : script_texts())
    EXPECT_EQ(script.text.find("@include"), std::string_view::npos) << script.verb;
}

}  // namespace
}  // namespace gaur::bull
