/^bounce-[0-9]+$/
/spam/i
/^(a$|b)/
/x{2}$/x
