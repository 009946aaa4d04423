package evaluate

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/likely-ml/likely/measure"
)

// Outcome is CopiesFound where a generated example is an exact copy and no real example is one of another, or where copies, exact
// ones or all, are more frequent among generated than among real examples by Fisher's test, or where one is too near for chance; else SignsOfMemorising where an
// attack, or the share nearer to training than to held-out examples, is above chance; else NoSign. The tests have the level
// 0.01 together: each is held against 0.01 divided by their number.
func (p *PrivacyReport) Outcome() Outcome {
	switch {
	case p.copied():
		return CopiesFound
	case len(p.signs()) > 0:
		return SignsOfMemorising
	}
	return NoSign
}

// level is that of each test.
func (p *PrivacyReport) level() float64 {
	tests := len(p.Spaces) + len(p.Attacks)
	if p.Copies != nil {
		tests += 3
	}
	return significance / float64(tests)
}

func (p *PrivacyReport) copied() bool {
	c := p.Copies
	return c != nil && (c.Generated.Exact > 0 && c.real().Exact == 0 || min(c.ExactP, c.P, c.NearP) < p.level())
}

// signs are what tells training from held-out examples, in words.
func (p *PrivacyReport) signs() []string {
	var nearer, told, list []string
	for _, c := range p.Spaces {
		if c.ToTrainP < p.level() {
			nearer = append(nearer, fmt.Sprintf("%.1f%% in %s", 100*c.ToTrain.Value, c.Name))
		}
	}
	for _, a := range p.Attacks {
		if a.P < p.level() {
			told = append(told, fmt.Sprintf("by %s (AUC %.3f, 95%% interval %.3f to %.3f)", a.Score, a.AUC.Value, a.Interval[0], a.Interval[1]))
		}
	}
	if told != nil {
		list = append(list, "training examples can be told from held-out ones "+strings.Join(told, ", "))
	}
	if nearer != nil {
		list = append(list, "more than half of the generated examples lie nearer to training than to held-out ones: "+strings.Join(nearer, ", "))
	}
	return list
}

// Verdict is the outcome in a paragraph, with what it cannot tell.
func (p *PrivacyReport) Verdict() string {
	var text []string
	say := func(format string, args ...any) { text = append(text, fmt.Sprintf(format, args...)) }
	c := p.Copies
	switch p.Outcome() {
	case CopiesFound:
		say("Copies were found: %d of %d generated examples are copies of training examples, %d of them exact ones. Of %d real examples "+
			"%d are copies of others in this sense, %d of them exact.", c.Generated.all(), c.Generated.N, c.Generated.Exact,
			c.real().N, c.real().all(), c.real().Exact)
		if c.Repeated > 0 {
			say("%d of the copies are of examples that the training data has more than once.", c.Repeated)
		}
		if signs := p.signs(); len(signs) > 0 {
			say("Moreover %s.", strings.Join(signs, "; "))
		}
		say("Look at the closest pairs before anything is handed on.")
	case SignsOfMemorising:
		say("Signs of memorising: %s.", strings.Join(p.signs(), "; "))
		p.sayNoCopies(say)
		say("So whoever has the model, or enough of what it makes, learns something of who was in its training data.")
	case NoSign:
		say("No sign of copying or memorising was found with these tests at this size.")
		p.sayNoCopies(say)
	}
	say("This is no proof: it is not differential privacy, and an attack that trains models of its own to compare with can find more.")
	if c != nil {
		say("Nearness in %s is not likeness of persons: a face turned or lit otherwise is far in this measure.", p.Spaces[0].Name)
	}
	return strings.Join(text, " ")
}

// sayNoCopies says how many copies there can be all the same.
func (p *PrivacyReport) sayNoCopies(say func(string, ...any)) {
	c := p.Copies
	switch {
	case c == nil:
	case c.Generated.all() == 0:
		say("None of %d generated examples is a copy of a training example, so that at most %.2g%% of all that the model makes are (95%% confidence).",
			c.Generated.N, 100*(1-math.Pow(0.05, 1/float64(c.Generated.N))))
	default:
		say("%d of %d generated examples lie as near to a training example as a copy would, and so do %d of %d real ones to another, so that "+
			"this may be chance: look at the closest pairs.", c.Generated.all(), c.Generated.N, c.real().all(), c.real().N)
	}
}

// Measures lists the main measures. Their names end in the space or the attack that they are of.
func (p *PrivacyReport) Measures() []measure.Measure {
	var all []measure.Measure
	if c := p.Copies; c != nil {
		all = append(all, share(c.Generated.Exact, c.Generated.N).As(measure.Lower("exact_copies", "share")),
			share(c.Generated.Near, c.Generated.N).As(measure.Lower("near_copies", "share")))
	}
	for _, c := range p.Spaces {
		all = append(all, c.ToTrain.As(measure.Lower("closer_to_train_"+c.Name, "share, 0.5 ideal")))
	}
	for _, a := range p.Attacks {
		all = append(all, a.AUC.As(measure.Lower("membership_auc_"+a.Name, "share, 0.5 ideal")),
			a.Advantage.As(measure.Lower("membership_advantage_"+a.Name, "share, 0 ideal")))
	}
	return all
}

// MarshalJSON writes outcome, verdict, the sizes, and copies, distances and membership.
func (p *PrivacyReport) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{
		"outcome": p.Outcome(), "verdict": p.Verdict(), "train": p.Train, "members": p.Members, "held_out": p.HeldOut,
		"copies": p.Copies, "distances": p.Spaces, "membership": p.Attacks, "level": p.level(),
	})
}

// MarshalJSON writes the counts and the closest pairs, in which examples are counted from 1.
func (c *Copies) MarshalJSON() ([]byte, error) {
	pairs := make([]map[string]any, len(c.Closest))
	for i, p := range c.Closest {
		pairs[i] = map[string]any{"generated": p.Generated + 1, "training": p.Training + 1, "distance": p.Distance, "nndr": p.NNDR,
			"move": p.Move.String(), "copy": p.Copy, "repeated": p.Repeated}
	}
	return json.Marshal(map[string]any{
		"threshold": c.Threshold, "moved": c.Moved, "generated": c.Generated, "held_out": c.HeldOut, "train": c.Members,
		"repeated": c.Repeated, "p_value": c.P, "exact_p_value": c.ExactP, "near_p_value": c.NearP, "closest": pairs,
	})
}
