-- Appends a JSON literal to a stored stack trace (a JSON array of strings as text). Keeps the newest
-- `stackTraceLimit` entries if the job's options set it.
local function append_stack(stacks, literal, options)
  if literal == '' then return stacks or '[]' end
  local body = stacks and string.match(stacks, '^%s*%[(.*)%]%s*$') or ''
  if string.match(body, '%S') then body = body .. ',' .. literal else body = literal end
  local limit = options.stackTraceLimit
  if type(limit) ~= 'number' then return '[' .. body .. ']' end
  local items, at = {}, 1
  while true do
    local first = string.find(body, '"', at, true)
    if not first then break end
    local last = first + 1
    while last <= #body do
      local byte = string.byte(body, last)
      if byte == 34 then break end
      last = last + (byte == 92 and 2 or 1)
    end
    items[#items + 1] = string.sub(body, first, last)
    at = last + 1
  end
  local newest = {}
  for i = math.max(1, #items - limit + 1), #items do newest[#newest + 1] = items[i] end
  return '[' .. table.concat(newest, ',') .. ']'
end
