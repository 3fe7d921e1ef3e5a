package row

import (
	"encoding/json"
	"fmt"

	"mailweir/internal/record"
)

// EncodeChange makes JSON of a row of the audit, to be kept beside its position.
func EncodeChange(c record.Change) ([]byte, error) {
	c.Time = micro(c.Time)
	c.Why, c.Err, c.Name, c.From = clean(c.Why), clean(c.Err), clean(c.Name), clean(c.From)
	data, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("record: a row of the audit cannot be written: %w", err)
	}
	return data, nil
}

// DecodeChange makes the row of its JSON again.
func DecodeChange(p record.Position, data []byte) (record.Change, error) {
	c := record.Change{}
	if err := json.Unmarshal(data, &c); err != nil {
		return record.Change{}, fmt.Errorf("record: row %d of the audit cannot be read: %w", p, err)
	}
	c.Position = p
	return c, nil
}
