-- finish_and_take: ends runs, then takes jobs. ARGV: 1 now, 2 session, 3 sequence number, 4 part, 5 what tokens begin
-- with, 6 lifetime of locks, 7 how many to take, 8 index of the first token, 9 may publish `drained` 0|1, 10 points of
-- metrics (0: none), 11 and 12 rate limit (0: none) and its ms, 13 how many finishes; then
-- each finish: id, token, kind, its arguments (shared/finish.lua); then the admission filter: "" to take any job, or:
-- look, free cores, free memory, backfill 0|1, spare cores, spare memory, field, how many needs, each: 1 for the default
-- needs, function, cores, memory, unavailable 0|1, ends before the head 0|1; how many known, each: id, function; how many
-- found further back, each: id, place, function (shared/admission.lua, shared/take_found.lua).
-- Reply: {"ok"|"again", finishes, now, due score or nil, paused, jobs that wait, passed over, limited for,
-- drained was published, blocked {id, function, timestamp, options} or nil, cancels, looked {id, function ...},
-- 1 if a bound ended the walk, found {a letter each, shift, popped, places of the other removed ids ...} or nil,
-- taken {id, uncounted starts, fields ...}}; or {"back", last sequence number}.
--@include start
--@include waiting_list
--@include cancels
--@include set_aside
--@include session
local metrics_points = tonumber(ARGV[10])
local requeued = false

-- A script creates its functions anew at every call, which costs more than the commands of a small request. So these are
-- created only if the request ends runs, or takes jobs.
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
  local waiting = call('LLEN', waiting_list())
  return {how, finishes, at, due[2] or false, paused and 1 or 0, waiting, walk.passed, walk.limited or 0, drained,
    walk.blocked or false, all_cancels(), walk.looked or {},
    walk.bounded and 1 or 0, walk.found or false, walk.all}
end

local how, earlier = begin_operation(ARGV[2], ARGV[3], ARGV[4])
if how == 'back' then return {how, earlier} end
if how == 'again' then
  local first = cmsgpack.unpack(earlier)
  local walk = {passed = 0, all = {}}
  for _, id in ipairs(first[3]) do
    local all = walk.all
    all[#all + 1], all[#all + 2], all[#all + 3] = id, call('HGET', own .. 'uncounted_starts', id) or 0,
      call('HGETALL', B .. id)
  end
  return answer(how, first[1], first[2], walk, 0)
end

local finishes, at, count = '', 14, tonumber(ARGV[13])
if count > 0 then finishes, at = finishing()(at, count) end
local most, walk = tonumber(ARGV[7]), {passed = 0, ids = {}, all = {}}
if most > 0 then
  walk = taking()(at, most, {token = ARGV[5], lock = ARGV[6], first = tonumber(ARGV[8]),
    limit_max = tonumber(ARGV[11]), limit_per = tonumber(ARGV[12])})
end
remember(ARGV[4], cmsgpack.pack({finishes, now, walk.ids}))
if requeued then call('PUBLISH', own .. 'work', '') end
local drained = 0
if most > 0 and #walk.ids == 0 and ARGV[9] == '1' and call('EXISTS', B .. 'wait') == 0 then
  call('PUBLISH', B .. 'drained', '')
  drained = 1
end
return answer('ok', finishes, now, walk, drained)
