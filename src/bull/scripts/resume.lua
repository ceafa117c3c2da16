--@include start
--@include append_list
if call('EXISTS', B .. 'meta-paused') == 0 and call('HEXISTS', B .. 'meta', 'paused') == 0 and
  call('EXISTS', B .. 'paused') == 0 then return 0 end
append_list(B .. 'paused', B .. 'wait')
call('DEL', B .. 'meta-paused')
call('HDEL', B .. 'meta', 'paused')
call('PUBLISH', B .. 'resumed', 'resumed')
return 0
