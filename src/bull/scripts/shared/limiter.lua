-- Bull's rate limiter, asked before each job that a turn would take (it is still in the list of waiting jobs). Answers
-- 0 if it may start, else the ms for which nothing may.
local function limited(id, max, duration)
  return 0
end
