-- ARGV: now, id, "1" for the whole job. Reply: nil; or the letter of its state, and for a whole job its score if delayed,
-- uncounted starts, hash.
--@include start
--@include job_state
local id = ARGV[2]
local where, score = state_of_job(id)
if not where then return false end
if ARGV[3] ~= '1' then return {where} end
return {where, score or '', call('HGET', own .. 'uncounted_starts', id) or '0', call('HGETALL', B .. id)}
