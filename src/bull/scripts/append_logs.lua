-- ARGV: now, id, line ... Reply: nil, or the number of kept lines: the newest `keepLogs` of the job's options.
--@include start
--@include job_lookup
local id = ARGV[2]
if not is_job(id) then return false end
local key = B .. id .. ':logs'
local keep = 1000
local readable, options = pcall(cjson.decode, call('HGET', B .. id, 'opts') or '')
if readable and type(options) == 'table' and type(options.keepLogs) == 'number' then keep = options.keepLogs end
for i = 3, #ARGV do call('RPUSH', key, ARGV[i]) end
if keep < 1 then
  call('DEL', key)
else
  call('LTRIM', key, string.format('%.0f', -keep), -1)
end
return call('LLEN', key)
