package content

// minCard is the fewest digits of a payment card number.
const minCard = 12

// cardNumber tells whether text holds a payment card number: 12 to 19 digits (ISO/IEC 7812-1), not
// all equal, whose last one is the check digit of Luhn's formula. Other characters (blanks, dashes)
// are skipped.
func cardNumber(text []byte) bool {
	var digits []byte
	for _, c := range text {
		if c >= '0' && c <= '9' {
			if len(digits) == 19 {
				return false
			}
			digits = append(digits, c-'0')
		}
	}
	if len(digits) < minCard {
		return false
	}
	sum, equal := 0, true
	for i, d := range digits {
		equal = equal && d == digits[0]
		n := int(d)
		if (len(digits)-i)%2 == 0 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0 && !equal
}
