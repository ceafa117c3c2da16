-- finish_and_take: ends runs, then takes what may be taken. ARGV: 1 now, 2 lane, 3 number, 4 part, 5 what tokens begin
-- with, 6 life of locks, 7 how many to take, 8 index of the first token, 9 may tell `drained` 0|1, 10 points of metrics
-- (0: none), 11 max_starts, 12 and 13 rate limit (0: none) and its ms, 14 how many finishes; then
-- each finish: id, token, kind, its arguments (shared/finish.lua); then what may be taken: "" for whatever is
-- next, or look, free cores, free memory, pass 0|1, spare cores, spare memory, field, how many needs, each: 1 if of all
-- others, function, cores, memory, closed 0|1, ends before the head 0|1; how many known, each: id, function; how many
-- found further back, each: id, place, function (shared/take.lua).
-- Answer: {"ok"|"again", finishes, now, due score or nil, paused, jobs that wait, passed over, limited for,
-- drained was told, blocked {id, function, timestamp, options} or nil, cancels, looked {id, function ...},
-- 1 if ids were left unlooked at, found {a letter each, shift, popped, places of what else left the list ...} or nil,
-- taken {id, backs, fields ...}}; or {"back", last number}.
--@include start
--@include line
--@include cancels
--@include debounce
--@include lane
local metrics_points = tonumber(ARGV[10])
local given_back = false

-- A script makes its functions anew at every call, and that costs more than the commands of a small turn: what ends runs
-- and what takes jobs is made by the turns that do so.
local function finishing()
--@include finish
  return finish_all
end
local function taking()
--@include take
  return take
end

local function answer(how, finishes, at, walk, drained)
  local due = call('ZRANGE', B .. 'delayed', 0, 0, 'WITHSCORES')
  local waiting = call('LLEN', line())
  return {how, finishes, at, due[2] or false, paused and 1 or 0, waiting, walk.passed, walk.limited or 0, drained,
    walk.blocked or false, all_cancels(), walk.looked or {},
    walk.bounded and 1 or 0, walk.found or false, walk.all}
end

local how, earlier = open_lane(ARGV[2], ARGV[3], ARGV[4])
if how == 'back' then return {how, earlier} end
if how == 'again' then
  local first = cmsgpack.unpack(earlier)
  local walk = {passed = 0, all = {}}
  for _, id in ipairs(first[3]) do
    local all = walk.all
    all[#all + 1], all[#all + 2], all[#all + 3] = id, call('HGET', own .. 'backs', id) or 0, call('HGETALL', B .. id)
  end
  return answer(how, first[1], first[2], walk, 0)
end

local finishes, at, count = '', 15, tonumber(ARGV[14])
if count > 0 then finishes, at = finishing()(at, count) end
local most, walk = tonumber(ARGV[7]), {passed = 0, ids = {}, all = {}}
if most > 0 then
  walk = taking()(at, most, {token = ARGV[5], lock = ARGV[6], first = tonumber(ARGV[8]),
    max_starts = tonumber(ARGV[11]), limit_max = tonumber(ARGV[12]), limit_per = tonumber(ARGV[13])})
end
remember(ARGV[4], cmsgpack.pack({finishes, now, walk.ids}))
if given_back then call('PUBLISH', own .. 'work', '') end
local drained = 0
if most > 0 and #walk.ids == 0 and ARGV[9] == '1' and call('EXISTS', B .. 'wait') == 0 then
  call('PUBLISH', B .. 'drained', '')
  drained = 1
end
return answer('ok', finishes, now, walk, drained)
