-- The stored options of a job as a table; {} where they are no JSON.
local function options_of(text)
  if not text then return {} end
  local good, decoded = pcall(cjson.decode, text)
  return good and type(decoded) == 'table' and decoded or {}
end
