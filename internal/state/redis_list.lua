-- One page of living rows in the order of keys. KEYS: rows (hash), names (sorted set).
-- Returns key, row, key, row …, and last the key to read on from, empty when there is no more.
-- A page looks at no more than a few thousand names, so that what is long dead holds up nobody.
local from, to, now, limit = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local page, most = {}, math.min(250, limit + 50)
for _ = 1, 20 do
	local names = redis.call('ZRANGEBYLEX', KEYS[2], from, to, 'LIMIT', 0, most)
	for _, name in ipairs(names) do
		local raw = redis.call('HGET', KEYS[1], name)
		local blank = raw and string.find(raw, ' ', 2, true)
		local til = blank and tonumber(string.sub(raw, 2, blank - 1)) -- none: another hand has spoilt it
		if til and (til == 0 or now < til) then
			page[#page + 1] = name
			page[#page + 1] = raw
		end
		from = '(' .. name
		if #page >= 2 * limit then
			page[#page + 1] = name
			return page
		end
	end
	if #names < most then
		page[#page + 1] = ''
		return page
	end
end
page[#page + 1] = string.sub(from, 2)
return page
