package lambdahost

// LimitMemory is what every Start does first.
var LimitMemory = limitMemory
