-- The line of waiting jobs: one list, its tail is handed out next.
--@include rare
local line_key = paused and B .. 'paused' or B .. 'wait'
-- The list that new work enters: `paused` while the queue is paused.
local function line() return line_key end
