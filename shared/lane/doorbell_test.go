package lane_test

import (
	"strings"
	"testing"

	"nepenthes/shared/lane"
)

func TestCalled(t *testing.T) {
	made := lane.Doorbell("dlv_1", "wh_1")
	if name, err := lane.Called(made); err != nil || name != "dlv_1" {
		t.Errorf("got %q, %v of %s", name, err, made.Body)
	}
	for name, body := range map[string]string{
		"a space":                       `{"delivery": "dlv_1"}`,
		"white space everywhere":        " {\r\n\t\"delivery\" :\n\"dlv_1\"\t} \n",
		"an escape in the value":        `{"delivery":"\u0064lv_1"}`,
		"an escape in the name":         `{"\u0064elivery":"dlv_1"}`,
		"only escapes in the value":     `{"delivery":"\u0064\u006c\u0076\u005f\u0031"}`,
		"another member before":         `{"again":true,"delivery":"dlv_1"}`,
		"other members after":           `{"delivery":"dlv_1","v":{"delivery":"dlv_2"},"more":[1,null]}`,
		"a member in other letter case": `{"Delivery":"dlv_2","delivery":"dlv_1","DELIVERY":"dlv_3"}`,
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := lane.Called(lane.Message{Body: []byte(body)}); err != nil || got != "dlv_1" {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestCalledRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"an empty body":             ``,
		"invalid JSON":              `{"delivery":"dlv_secret"`,
		"a second value":            `{"delivery":"dlv_secret"}{}`,
		"a string":                  `"dlv_secret"`,
		"a list":                    `["delivery","dlv_secret"]`,
		"null":                      `null`,
		"a missing delivery":        `{"Delivery":"dlv_secret"}`,
		"a number for the delivery": `{"delivery":7}`,
		"null for the delivery":     `{"delivery":null}`,
		"an empty delivery":         `{"delivery":""}`,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := lane.Called(lane.Message{ID: "m1", Body: []byte(body)})
			if err == nil {
				t.Fatalf("got %q and no error", got)
			}
			if !strings.Contains(err.Error(), "m1") || strings.Contains(err.Error(), "secret") {
				t.Errorf("got error %q, want one that names the message and contains nothing of its body", err)
			}
		})
	}
}
