-- Moves the waiting jobs to a list that no worker reads. An existing list of that name is kept (Bull overwrites it).
--@include start
--@include append_list
append_list(B .. 'wait', B .. 'paused')
call('SET', B .. 'meta-paused', 1)
call('HSET', B .. 'meta', 'paused', 1)
call('PUBLISH', B .. 'paused', 'paused')
return 0
