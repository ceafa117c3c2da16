-- Decides whether a waiting job may be taken: its function's needs against the capacity of the take request.

-- The admission filter in ARGV from `at` on (see finish_and_take.lua). nil: any job may be taken.
local function read_filter(at)
  if ARGV[at] == '' then return nil end
  local filter = {look = tonumber(ARGV[at]), cores = tonumber(ARGV[at + 1]), memory = tonumber(ARGV[at + 2]),
    backfill = ARGV[at + 3] == '1', spare_cores = tonumber(ARGV[at + 4]), spare_memory = tonumber(ARGV[at + 5]),
    field = ARGV[at + 6], needs = {}, known = {}}
  local count = tonumber(ARGV[at + 7])
  at = at + 8
  for _ = 1, count do
    local needs = {cores = tonumber(ARGV[at + 2]), memory = tonumber(ARGV[at + 3]), unavailable = ARGV[at + 4] == '1',
      ends = ARGV[at + 5] == '1'}
    if ARGV[at] == '1' then filter.default_needs = needs else filter.needs[ARGV[at + 1]] = needs end
    at = at + 6
  end
  local known = tonumber(ARGV[at])
  for i = at + 1, at + 2 * known, 2 do filter.known[ARGV[i]] = ARGV[i + 1] end
  filter.found_at = at + 2 * known + 1
  return filter
end

local function fits(needs, cores, memory) return needs.cores <= cores + 0.001 and needs.memory <= memory end

-- "take", "skip" or "end". Subtracts the needs of a taken job. The first job that does not fit becomes filter.head.
local function decide(filter, id, name)
  local needs = filter.needs[name] or filter.default_needs
  if not needs or needs.unavailable then return 'skip' end
  local does_fit = fits(needs, filter.cores, filter.memory)
  if filter.head then
    if not does_fit then return 'skip' end
    if not needs.ends then
      if not fits(needs, filter.spare_cores, filter.spare_memory) then return 'skip' end
      filter.spare_cores, filter.spare_memory = filter.spare_cores - needs.cores, filter.spare_memory - needs.memory
    end
  elseif not does_fit then
    filter.head = id
    return filter.backfill and 'skip' or 'end'
  end
  filter.cores, filter.memory = filter.cores - needs.cores, filter.memory - needs.memory
  return 'take'
end

-- The text at a path ("a.b") in JSON data, or nil.
local function text_at(data, path)
  local good, value = pcall(cjson.decode, data)
  if not good then
    -- JavaScript writes unpaired surrogates, which this decoder rejects. Replaces them and keeps the pairs.
    local pairs_marked = string.gsub(data, '\\u[dD]([89abAB]%x%x)\\u[dD]([c-fC-F]%x%x)', '\1%1%2')
    local without_halves = string.gsub(pairs_marked, '\\u[dD][89a-fA-F]%x%x', '\\ufffd')
    local whole = string.gsub(without_halves, '\1(%x%x%x)(%x%x%x)', '\\ud%1\\ud%2')
    good, value = pcall(cjson.decode, whole)
  end
  if not good then return nil end
  for part in string.gmatch(path, '[^.]+') do
    if type(value) ~= 'table' then return nil end
    value = value[part]
  end
  return type(value) == 'string' and value ~= '' and value or nil
end

-- The function of a job: its name or a field of its data. Decodes at most 64 KiB of data per call, but always one job;
-- nil: that is used up.
local decoded = 0
local looked = {}
local function function_of(filter, id, name, data)
  if filter.field == '' then return name end
  if filter.known[id] then return filter.known[id] end
  if decoded > 0 and decoded + #data > 65536 then return nil end
  decoded = decoded + #data
  local found = text_at(data, filter.field) or name
  looked[#looked + 1] = id
  looked[#looked + 1] = found
  return found
end
