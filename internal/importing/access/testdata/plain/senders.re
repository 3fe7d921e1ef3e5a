/^(bob|eve)@evil\.example$/	REJECT go away, $1
/^(?!x)y/	REJECT
/@ours\.example$/	REJECT
/^.*@good\.example$/	OK
/good/	REJECT
