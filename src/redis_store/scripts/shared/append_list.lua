-- Appends all ids of one list to another, in order. If `to` does not exist the list is renamed, as in Bull.
local function append_list(from, to)
  if call('EXISTS', from) == 0 then return end
  if call('EXISTS', to) == 0 then
    call('RENAME', from, to)
    return
  end
  while true do
    local part = call('LRANGE', from, -1000, -1)
    if #part == 0 then return end
    local turned = {}
    for i = #part, 1, -1 do turned[#turned + 1] = part[i] end
    call('LPUSH', to, unpack(turned))
    call('LTRIM', from, 0, -1001)
  end
end
