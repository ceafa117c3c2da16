-- The stored options of a job as a table; {} if they are not a JSON object.
local function options_of(text)
  if not text then return {} end
  local good, decoded = pcall(cjson.decode, text)
  return good and type(decoded) == 'table' and decoded or {}
end
