package main

import (
	"errors"
	"fmt"
	"maps"
	"net/mail"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"nepenthes/shared/limits"
	"nepenthes/shared/routes"
)

// options are the options of a deployment, given as context values ("cdk deploy -c name=value").
type options struct {
	stage             string
	binaries          string // the folder with a folder for each function
	publicURL         string // empty: the stage's own address
	allowHTTP         bool
	retentionDays     int
	requestsPerSecond int
	producers         []string // other accounts that may push events
	alarmAddress      string   // empty: the topic has no subscriber
	reserved          int      // concurrency reserved for each function behind the gateway; 0: none
	domainName        string
	certificateARN    string
	staticEgress      bool
}

// emulatorAccount is the account of emulators. No real account has this number.
const emulatorAccount = "000000000000"

// Defaults and limits of context values that are not in package limits.
const (
	requestsPerSecond    = 100
	requestsPerSecondMax = 1000
	reservedMax          = 1000
)

var (
	stageName    = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)
	accountID    = regexp.MustCompile(`^[0-9]{12}$`)
	hostName     = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$`)
	certificate  = regexp.MustCompile(`^arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+$`)
	foreignValue = regexp.MustCompile(`[^A-Za-z]`) // names of the CDK's own context values have such a character
)

// choice is one context value: how it is read, and the rule that is printed when it is wrong.
type choice struct {
	rule string
	set  func(o *options, text string) bool
}

var choices = map[string]choice{
	"stage": {"it must be a lower-case letter and up to 19 more lower-case letters, digits and hyphens", func(o *options, text string) bool {
		o.stage = text
		return stageName.MatchString(text)
	}},
	"publicUrl": {"it must be https:// and a host name, without a path", func(o *options, text string) bool {
		o.publicURL = text
		u, err := url.Parse(text)
		return err == nil && u.Scheme == "https" && u.Hostname() != "" && text == "https://"+strings.ToLower(u.Host)
	}},
	"allowHttp":    {"it must be true or false", func(o *options, text string) bool { return boolean(&o.allowHTTP, text) }},
	"staticEgress": {"it must be true or false", func(o *options, text string) bool { return boolean(&o.staticEgress, text) }},
	"retentionDays": {fmt.Sprintf("it must be a number of days from %d to %d", limits.RetentionDaysMin, limits.RetentionDaysMax), func(o *options, text string) bool {
		return number(&o.retentionDays, text, limits.RetentionDaysMin, limits.RetentionDaysMax)
	}},
	"requestsPerSecond": {fmt.Sprintf("it must be a number from 1 to %d", requestsPerSecondMax), func(o *options, text string) bool {
		return number(&o.requestsPerSecond, text, 1, requestsPerSecondMax)
	}},
	"reservedConcurrency": {fmt.Sprintf("it must be a number from 1 to %d, to be reserved for each of the %d functions behind the gateway", reservedMax, len(routes.HTTP())), func(o *options, text string) bool {
		return number(&o.reserved, text, 1, reservedMax)
	}},
	"producers": {"it must be a list of account numbers of 12 digits, separated by commas", func(o *options, text string) bool {
		o.producers = strings.Split(text, ",")
		return !slices.ContainsFunc(o.producers, func(a string) bool { return !accountID.MatchString(a) })
	}},
	"alarmAddress": {"it must be one e-mail address", func(o *options, text string) bool {
		o.alarmAddress = text
		parsed, err := mail.ParseAddress(text)
		return err == nil && parsed.Address == text
	}},
	"domainName": {"it must be a host name in lower case", func(o *options, text string) bool {
		o.domainName = text
		return hostName.MatchString(text)
	}},
	"certificateArn": {"it must be the ARN of a certificate in ACM, in the region of the stack", func(o *options, text string) bool {
		o.certificateARN = text
		return certificate.MatchString(text)
	}},
	"assets": {"it must be release or local", func(o *options, text string) bool {
		o.binaries = map[string]string{"release": releaseBinaries, "local": emulatorBinaries}[text]
		return o.binaries != ""
	}},
}

// The folders that "make build" and "make build-local" fill.
const (
	releaseBinaries  = "build"
	emulatorBinaries = "build/local"
)

// read reads the context values. The account is the one to deploy to, or empty if it is not known. The error contains
// all faults, each as a sentence on a line of its own.
func read(values map[string]any, account string) (options, error) {
	o := options{
		stage: "dev", binaries: releaseBinaries,
		retentionDays: limits.RetentionDays, requestsPerSecond: requestsPerSecond,
	}
	var faults sentences
	for _, name := range slices.Sorted(maps.Keys(values)) {
		c, known := choices[name]
		text := written(values[name])
		switch {
		case known && !c.set(&o, text):
			faults.add("The context value %s cannot be %q: %s.", name, text, c.rule)
		case !known && !foreignValue.MatchString(name):
			faults.add("There is no context value %s. The context values are %s.", name, strings.Join(slices.Sorted(maps.Keys(choices)), ", "))
		}
	}
	o.checkCombinations(account, &faults)
	return o, errors.Join(faults...)
}

// sentence is an error for people. Unlike other errors it begins with a capital letter and ends with a full stop.
type sentence string

// Error returns the sentence.
func (s sentence) Error() string { return string(s) }

type sentences []error

func (s *sentences) add(format string, args ...any) {
	*s = append(*s, sentence(fmt.Sprintf(format, args...)))
}

// checkCombinations adds the faults that concern several values, and sets the defaults that depend on other values.
func (o *options) checkCombinations(account string, faults *sentences) {
	if o.binaries == emulatorBinaries && account != emulatorAccount {
		faults.add("The context value assets=local is only for emulators, whose account is %s, because its functions may call this machine.", emulatorAccount)
	}
	if (o.domainName == "") != (o.certificateARN == "") {
		faults.add("The context values domainName and certificateArn must be given together or not at all.")
	}
	if o.domainName != "" && o.publicURL == "" {
		o.publicURL = "https://" + o.domainName
	}
	for _, f := range routes.Functions() {
		path := filepath.Join(o.binaries, string(f), "bootstrap")
		if _, err := os.Stat(path); o.binaries != "" && err != nil {
			faults.add("There is no %s. Run make build first (for assets=local, make build-local).", path)
			return
		}
	}
}

// written returns the value in the form of the command line. Values in cdk.json can be lists, numbers and booleans.
func written(value any) string {
	list, ok := value.([]any)
	if !ok {
		return fmt.Sprint(value)
	}
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, ",")
}

func boolean(to *bool, text string) bool {
	*to = text == "true"
	return text == "true" || text == "false"
}

func number(to *int, text string, low, high int) bool {
	n, err := strconv.Atoi(text)
	*to = n
	return err == nil && low <= n && n <= high
}
