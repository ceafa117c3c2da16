-- Reads waiting jobs beyond those that a take request looks at: ids of the list, and what decides about each. ARGV: now,
-- place of the first id, how many at most, 1 to read data as well, bytes of data at most, where to search first, how many
-- anchors, each: id, place (the last one handed out first); then ids of jobs with a priority whose places are requested.
-- Reply: {"lost"}: no anchor was found; or {"ok", place of the first id, how far the anchors had moved, jobs that wait,
-- {id, name, data ...}, {id, place, name, data ...}}: in the order of handing out.
--@include start
--@include waiting_list
--@include list_places
--@include set_aside
local from, count, with_data, bytes, hint = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4] == '1', tonumber(ARGV[5]),
  tonumber(ARGV[6])
local anchors = tonumber(ARGV[7])
local used, shift = 0, 0

local function read(id)
  local key, name, data = B .. id, false, false
  if with_data then
    local seen = read_hash('HMGET', key, 'name', 'data') or {}
    name, data = seen[1], seen[2]
    used = used + #(data or '')
  else
    name = read_hash('HGET', key, 'name')
  end
  return name or false, data or false
end

if anchors > 0 and not (hint == tonumber(ARGV[9]) and is_at(waiting_list(), ARGV[8], hint)) then
  local wanted = {}
  for i = 8, 6 + 2 * anchors, 2 do wanted[ARGV[i]] = tonumber(ARGV[i + 1]) end
  local place, id = search(waiting_list(), wanted, hint)
  if not place then return {'lost'} end
  shift = place - wanted[id]
  from = math.min(from + shift, place + 1)  -- ids that were read after that anchor may be gone
end

local asked = {}
for i = 8 + 2 * anchors, #ARGV do
  local id = ARGV[i]
  local priority = tonumber(call('ZSCORE', B .. 'priority', id) or 0)
  local behind = priority > 0 and call('ZCOUNT', B .. 'priority', '-inf', priority) - 1
  local place = behind and search(waiting_list(), {[id] = behind}, behind)
  if place then
    local name, data = read(id)
    local n = #asked
    asked[n + 1], asked[n + 2], asked[n + 3], asked[n + 4] = id, place, name, data
  end
end

local out, size = {}, 0
local ids = call('LRANGE', waiting_list(), string.format('%.0f', -(from + count)), string.format('%.0f', -(from + 1)))
for i = #ids, 1, -1 do
  local name, data = read(ids[i])
  out[size + 1], out[size + 2], out[size + 3] = ids[i], name, data
  size = size + 3
  if used > bytes then break end
end
return {'ok', string.format('%.0f', from), shift, call('LLEN', waiting_list()), out, asked}
