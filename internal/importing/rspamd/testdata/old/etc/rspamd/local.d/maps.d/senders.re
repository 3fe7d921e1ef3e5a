/^spam/i 2
/\.top$/i
/^a.*z$/
/(?<!ok)@bad/
plain\.example
