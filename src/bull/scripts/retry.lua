-- ARGV: now, token, id, "1" to reset the attempts. Reply: 0; -1: no such job; -6: it is locked; or the letter of the job's
-- state. As in Bull, the priority is ignored and LIFO jobs go in front. `uncounted_starts` is increased by the attempts that
-- attemptsMade loses, so that the number of starts never decreases.
--@include start
--@include job_state
--@include enqueue
local token, id, afresh = ARGV[2], ARGV[3], ARGV[4] == '1'
local where = state_of_job(id)
if not where then return -1 end
if where ~= 'f' and where ~= 'c' then return where end
if call('EXISTS', B .. id .. ':lock') == 1 then return -6 end
call('ZREM', B .. (where == 'f' and 'failed' or 'completed'), id)
call('HDEL', B .. id, 'finishedOn', 'processedOn', 'failedReason', 'returnvalue')
call('HSET', B .. id, 'retriedOn', now)
local uncounted = where == 'c' and 1 or 0
if afresh then
  local made = whole(call('HGET', B .. id, 'attemptsMade')) + uncounted
  if made > 0 then call('HINCRBY', own .. 'uncounted_starts', id, made) end
  call('HDEL', B .. id, 'attemptsMade')
elseif uncounted > 0 then
  call('HSET', B .. id, 'attemptsMade', whole(call('HGET', B .. id, 'attemptsMade')) + 1)
end
local readable, options = pcall(cjson.decode, call('HGET', B .. id, 'opts') or '')
local front = readable and type(options) == 'table' and options.lifo == true
call(front and 'RPUSH' or 'LPUSH', waiting_list(), id)
call('PUBLISH', B .. 'waiting@' .. token, id)
return 0
