-- get and state. ARGV: now, id, "1" for all of the job. Answer: nil, or letter, score of a delayed job, how often it was
-- given back, its hash.
--@include start
--@include place
local id = ARGV[2]
local where, score = place_of_job(id)
if not where then return false end
if ARGV[3] ~= '1' then return {where} end
return {where, score or '', call('HGET', own .. 'backs', id) or '0', call('HGETALL', B .. id)}
