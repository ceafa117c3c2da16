-- The list of waiting jobs; its tail is handed out next.
--@include optional_keys
local waiting_key = paused and B .. 'paused' or B .. 'wait'
-- The list that a new job enters: `paused` while the queue is paused.
local function waiting_list() return waiting_key end
