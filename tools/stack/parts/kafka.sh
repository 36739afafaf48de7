# shellcheck shell=sh
# Kafka 4.3.1 from Maven Central: one KRaft node in a small JVM with a class-data archive.

KAFKA_VERSION=4.3.1
KAFKA_HOME=$CACHE/kafka-$KAFKA_VERSION
KAFKA_CLUSTER=5L6g3nShT-eMCtK--X86sw
KAFKA_LOGGING=-Dlog4j2.configurationFile=$STACK/conf/kafka-log4j2.yaml

needs_fetch_kafka() { [ ! -e "$KAFKA_HOME/libs" ]; }
fetch_kafka() {
    needs_fetch_kafka || return 0
    aside=$CACHE/kafka-$KAFKA_VERSION.new.$$
    rm -rf "$CACHE/kafka-$KAFKA_VERSION.new".*
    mkdir -p "$aside"
    cp "$STACK/conf/kafka-pom.xml" "$aside/pom.xml"
    mvn -B -ntp -f "$aside/pom.xml" -Dmaven.repo.local="$aside/maven" -Dkafka.version=$KAFKA_VERSION \
        org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies \
        -DincludeScope=runtime -DoutputDirectory="$aside/libs"
    kafka_properties "$aside/format" 1 2 >"$aside/format.properties"
    # shellcheck disable=SC2046
    java -Xmx48m $(kafka_jvm) "$KAFKA_LOGGING" -cp "$aside/libs/*" kafka.tools.StorageTool format -t "$KAFKA_CLUSTER" -c "$aside/format.properties"
    rm -rf "$KAFKA_HOME" "$aside/maven"
    mv "$aside" "$KAFKA_HOME"
}

kafka_properties() { # DATA PORT CONTROLLER_PORT
    sed -e "s#@DATA@#$1#" -e "s/@PORT@/$2/" -e "s/@CTRL@/$3/" "$STACK/conf/kafka.properties"
}

kafka_jvm() { # the options that every JVM of Kafka gets
    echo '-Xss256k -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:-UsePerfData'
}

# Formatting takes a JVM start: the two small files are copied from the cache instead. The
# class archive that a first run wrote when it stopped serves all later runs.
prepare_kafka() {
    if [ ! -e "$RUN/kafka/data/meta.properties" ]; then
        rm -rf "$RUN/kafka/data"
        cp -a "$KAFKA_HOME/format" "$RUN/kafka/data"
    fi
    if [ -s "$RUN/kafka/classes.jsa" ] && [ ! -e "$KAFKA_HOME/classes.jsa" ]; then
        mv "$RUN/kafka/classes.jsa" "$KAFKA_HOME/classes.jsa"
    fi
    kafka_properties "$RUN/kafka/data" "$KAFKA_PORT" "$KAFKA_CONTROLLER_PORT" |
        write_if_changed "$RUN/kafka/server.properties" 644 || :
}

run_kafka() {
    echo "# settings $(sha256sum <"$RUN/kafka/server.properties")"
    cat <<RUN
archive='-XX:SharedArchiveFile=$KAFKA_HOME/classes.jsa'
[ -e '$KAFKA_HOME/classes.jsa' ] || archive=-XX:ArchiveClassesAtExit=classes.jsa
export MALLOC_ARENA_MAX=1
exec java -Xmx96m -XX:MaxDirectMemorySize=32m -XX:ReservedCodeCacheSize=32m "\$archive" \\
    $(kafka_jvm) '$KAFKA_LOGGING' -cp '$KAFKA_HOME/libs/*' kafka.Kafka server.properties
RUN
}

ready_kafka() {
    first_broker=${KAFKA_BROKERS%%,*}
    "$TOOLS/probe" kafka "${first_broker%:*}" "${first_broker##*:}"
}
forget_kafka() { rm -rf "$RUN/kafka"; }
