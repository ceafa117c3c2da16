-- Gaur's own hash `backs`: id -> how often its runs were given back without being counted. Usually there is none.
--@include rare
local function count_back(id)
  call('HINCRBY', own .. 'backs', id, 1)
  backs_there = true
end
